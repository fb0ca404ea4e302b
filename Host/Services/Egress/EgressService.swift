// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import Logging
public import NIOCore
internal import NIOSSL
public import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// `theatre.host.v1.Egress`: HTTP to the outside, within an instance's grants.
///
/// Redirects are never followed. What a name resolves to is checked on the connection itself, before the request is
/// written. Works on the event loops it was given; any thread may call.
public final class EgressService: HostService {
    /// Tells where this deployment listens, for `self.theatre`: `http://127.0.0.1:8080`, nil while it does not.
    public typealias OwnURL = @Sendable () -> String?

    /// The contract's full name.
    public let contract = "theatre.host.v1.Egress"

    private let clients: EgressClients
    private let group: any EventLoopGroup
    private let policy: EgressPolicy
    private let secrets: any SecretSource
    private let uses: UseCounts?
    private let monotonic: @Sendable () -> UInt64
    private let ownURL = Mutex<OwnURL>({ nil })
    private let figures = EgressFigures()

    /// A service on the loops of `group`.
    ///
    /// - Parameters:
    ///   - secrets: where placeholders' values come from.
    ///   - uses: hears of each that was put in the place of its placeholder.
    ///   - monotonic: the host's monotonic clock in nanoseconds, by which calls have their deadlines.
    ///   - authorities: PEM files of certificate authorities to trust beside those of the system.
    /// - Throws: FAILED_PRECONDITION `egress.bad_authority` where one of them cannot be read.
    public convenience init(
        group: any EventLoopGroup, secrets: any SecretSource, uses: UseCounts? = nil,
        monotonic: @escaping @Sendable () -> UInt64, authorities: [String]
    ) throws(CallError) {
        try self.init(
            group: group, secrets: secrets, uses: uses, monotonic: monotonic, policy: EgressPolicy(),
            authorities: authorities)
    }

    init(
        group: any EventLoopGroup, secrets: any SecretSource, uses: UseCounts? = nil,
        monotonic: @escaping @Sendable () -> UInt64, policy: EgressPolicy, authorities: [String] = []
    ) throws(CallError) {
        var certificates: [NIOSSLCertificate] = []
        for file in authorities {
            do { certificates += try NIOSSLCertificate.fromPEMFile(file) } catch {
                throw CallError(
                    .failedPrecondition, "egress.bad_authority",
                    "\(file) holds no certificate that can be read: \(error); correct egress.ca_files in 00-host.yaml.")
            }
        }
        self.group = group
        self.secrets = secrets
        self.uses = uses
        self.monotonic = monotonic
        self.policy = policy
        clients = EgressClients(group: group, authorities: certificates)
    }

    /// Sets where `self.theatre` leads, once the listener is open.
    public func setOwnURL(_ body: @escaping OwnURL) { ownURL.withLock { $0 = body } }

    /// Closes every connection; calls under way fail. To be called once, after the last plugin stopped.
    public func shutdown() -> EventLoopFuture<Void> { clients.shutdown(group) }

    /// Requests, bytes and requests under way, by instance and outcome.
    public func metrics() -> [MetricFamily] { figures.families() }

    /// Serves one call; see ``HostService``.
    public func serve(_ operation: String, _ call: any HostCall) {
        guard operation == "Fetch" || operation == "FetchStream" else {
            return call.failUnknown(operation, of: contract)
        }
        do throws(CallError) {
            let message = try call.decode(HostFetchRequest.self)
            let grants = call.instance.grants.secrets
            let names = SecretPlaceholders(grants: grants, source: secrets).names(in: message)
            let sources = names.compactMap { grants[$0]?.source }
            secrets.fetch(sources, for: call.instance, deadline: call.deadline) { error in
                self.send(message, names, operation, call, error)
            }
        } catch {
            figures.refuse(call.instance, error)
            call.fail(error)
        }
    }

    /// - Parameter names: the secrets that it has placeholders for.
    private func send(
        _ message: HostFetchRequest, _ names: [String], _ operation: String, _ call: any HostCall,
        _ failure: CallError?
    ) {
        do throws(CallError) {
            if let failure { throw failure }
            let own = ownURL.withLock { $0 }
            let plan = try EgressPlan(
                message, grants: call.instance.grants, policy: policy, secrets: secrets.seen(by: call.instance),
                ownURL: own,
                traceparent: call.context.message.traceparent)
            let deadline = try deadline(message, call)
            for name in names { uses?.note(.secret(name), "substitute", by: call) }
            figures.begin(call.instance)
            operation == "Fetch" ? fetch(plan, deadline, call) : stream(plan, deadline, call)
        } catch {
            // One of no grant has no name here that may be written down.
            let refused = names.isEmpty && error.reason == "egress.secret_misplaced" ? [""] : names
            for name in refused { uses?.note(.secret(name), "substitute", by: call, refused: error.reason) }
            figures.refuse(call.instance, error)
            call.fail(error)
        }
    }

    private func deadline(_ message: HostFetchRequest, _ call: any HostCall) throws(CallError) -> NIODeadline? {
        var left: Int64?
        if call.deadline != 0 {
            let now = monotonic()
            guard call.deadline > now else {
                throw CallError(
                    .deadlineExceeded, "egress.timeout", "The call's time was over before the request was sent.")
            }
            left = Int64(clamping: call.deadline - now)
        }
        if message.timeoutMs != 0 {
            left = min(left ?? .max, Int64(message.timeoutMs) * 1_000_000)
        }
        return left.map { .now() + .nanoseconds($0) }
    }

    private func fetch(_ plan: EgressPlan, _ deadline: NIODeadline?, _ call: any HostCall) {
        let delegate = FetchDelegate(maximumBytes: plan.maximumBytes)
        let task = clients.client(allowsPrivate: plan.allowsPrivate).execute(
            request: plan.request, delegate: delegate, eventLoop: .indifferent, deadline: deadline)
        call.onCancel { task.cancel() }
        task.futureResult.whenComplete { [figures] result in
            do throws(CallError) {
                switch result {
                case .success(let response):
                    let bytes = try encoded(response)
                    figures.end(call.instance, nil, bytes: response.body.count)
                    call.complete(bytes)
                case .failure(let error):
                    throw EgressFailure.classified(error, wasSent: delegate.wasSent, place: plan.place)
                }
            } catch {
                figures.end(call.instance, error, bytes: 0)
                call.fail(error)
            }
        }
    }

    private func stream(_ plan: EgressPlan, _ deadline: NIODeadline?, _ call: any HostCall) {
        let queue = OutgoingQueue(call)
        let delegate = FetchStreamDelegate(queue, maximumBytes: plan.maximumBytes)
        let task = clients.client(allowsPrivate: plan.allowsPrivate).execute(
            request: plan.request, delegate: delegate, eventLoop: .indifferent, deadline: deadline)
        call.onCancel {
            task.cancel()
            queue.close()
        }
        task.futureResult.whenComplete { [figures] result in
            switch result {
            case .success:
                figures.end(call.instance, nil, bytes: delegate.received)
                call.complete([])
            case .failure(let error):
                queue.close()
                let failure = EgressFailure.classified(error, wasSent: delegate.wasSent, place: plan.place)
                figures.end(call.instance, failure, bytes: delegate.received)
                call.fail(failure)
            }
        }
    }
}
