// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Logging
public import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// Counts uses of secrets and keys, and has each kind audited once a third of a second with its number: an actor who signs a
/// thousand times a second is a few rows, and none of the times is lost.
public final class UseCounts: Sendable {
    /// Milliseconds that a use waits for others like it.
    static let gathering: Int64 = 300
    /// Kinds that wait at once; more of them are written before their time.
    static let bound = 1000

    /// A kind of use.
    struct Use: Hashable {
        var tenant: String
        var project: String
        var principal: String
        var principalKind: HostPrincipalKind
        var route: String
        var network: String
        var caller: String
        /// `secret:NAME` or `key:NAME`, by the instance's name for it.
        var resource: String
        /// lease, substitute, sign or mac.
        var action: String
        /// Why it was refused; empty where it was not.
        var refused: String
    }

    private struct Waiting {
        var uses: [Use: (at: Int64, requestID: String, count: Int64)] = [:]
        var wake: (any PendingWake)?
    }

    private let writer: AuditWriter
    private let clock: any ServiceClock
    private let log: Logger
    private let waiting = Mutex(Waiting())

    /// Uses that `writer` stores.
    public init(writer: AuditWriter, clock: any ServiceClock, log: Logger) {
        self.writer = writer
        self.clock = clock
        self.log = log
    }

    /// What is used, by the instance's name for it.
    enum Resource {
        case secret(String)
        case key(String)

        /// A name that no grant has may be anything, also what it is not to be.
        func text(_ grants: ResolvedGrants) -> String {
            switch self {
            case .secret(let name): "secret:\(grants.secrets[name] == nil ? "unknown" : name)"
            case .key(let name): "key:\(grants.keys[name] == nil ? "unknown" : name)"
            }
        }
    }

    /// A use on behalf of `call`, by the service that knows what became of it.
    func note(_ resource: Resource, _ action: String, by call: any HostCall, refused: String = "") {
        let context = call.context.message
        let use = Use(
            tenant: context.tenant, project: context.project, principal: context.principal,
            principalKind: context.principalKind, route: context.route, network: context.network,
            caller: call.instance.instance, resource: resource.text(call.instance.grants), action: action,
            refused: refused)
        let now = clock.wall
        let (isFirst, isFull) = waiting.withLock { waiting in
            var entry = waiting.uses[use] ?? (now, context.requestID, 0)
            entry.count += 1
            waiting.uses[use] = entry
            return (waiting.uses.count == 1 && entry.count == 1, waiting.uses.count >= Self.bound)
        }
        if isFull { flush() }
        guard isFirst else { return }
        let wake = clock.wake(after: Self.gathering) { [weak self] in self?.flush() }
        waiting.withLock { $0.wake = wake }
    }

    /// Hands everything to the writer: at a stop, before the writer's own.
    public func flush() {
        let (uses, wake) = waiting.withLock { waiting in
            defer { waiting = Waiting() }
            return (waiting.uses, waiting.wake)
        }
        wake?.cancel()
        for (use, entry) in uses {
            let context = HostContext.with {
                $0.tenant = use.tenant
                $0.project = use.project
                $0.principal = use.principal
                $0.principalKind = use.principalKind
                $0.route = use.route
                $0.network = use.network
                $0.requestID = entry.requestID
                $0.caller = use.caller
                $0.resource = use.resource
                $0.action = use.action
                $0.decision = use.refused.isEmpty ? "granted" : "refused: \(use.refused)"
            }
            do throws(CallError) {
                writer.append(
                    at: entry.at, context: try encoded(context), outcome: use.refused.isEmpty ? "used" : "refused",
                    reason: use.refused, count: UInt32(clamping: entry.count))
            } catch {
                log.error("an audit row cannot be encoded", metadata: error.metadata)
            }
        }
    }
}
