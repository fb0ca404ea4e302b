// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// `theatre.host.v1.Timers`: sets and takes back durable timers.
public struct TimersService: HostService {
    /// Largest payload, in bytes.
    public static let largestPayload = 64 << 10

    /// The contract's full name.
    public let contract = "theatre.host.v1.Timers"
    private let caller: UnaryCaller
    private let storage: String
    private let pump: TimerPump

    /// A service that keeps its timers in the storage instance `storage` and tells `pump` of them.
    public init(calls: any CallStarting, storage: String, pump: TimerPump) {
        self.init(DispatchedCalls(calls: calls), storage: storage, pump: pump)
    }

    init(_ calls: any UnaryCalling, storage: String, pump: TimerPump) {
        caller = UnaryCaller(calls: calls)
        self.storage = storage
        self.pump = pump
    }

    /// Serves one call; see ``HostService``.
    public func serve(_ operation: String, _ call: any HostCall) {
        do throws(CallError) {
            switch operation {
            case "Schedule": try schedule(try call.decode(HostScheduleRequest.self), call)
            case "Cancel": try cancel(try call.decode(HostCancelTimerRequest.self), call)
            default: call.failUnknown(operation, of: contract)
            }
        } catch {
            call.fail(error)
        }
    }

    private func schedule(_ request: HostScheduleRequest, _ call: any HostCall) throws(CallError) {
        let key = try key(request.name, call)
        guard request.payload.count <= Self.largestPayload else {
            throw CallError(
                .invalidArgument, "timers.too_large",
                "A timer's payload may have \(Self.largestPayload) bytes; store more and hand over its id.",
                detail: "/payload")
        }
        let timer = Timer(
            key: key, tenant: call.context.message.tenant, at: request.at, payload: request.payload,
            nextAt: request.at, version: Int64.random(in: 1...Int64.max))
        commit(timer.upsert(), call) { _ in
            pump.look()
            return HostScheduleResponse()
        }
    }

    private func cancel(_ request: HostCancelTimerRequest, _ call: any HostCall) throws(CallError) {
        commit(Timer.cancel(try key(request.name, call)), call) { response in
            HostCancelTimerResponse.with { $0.existed = response.results.first.map { $0.changed > 0 } ?? false }
        }
    }

    private func key(_ name: String, _ call: any HostCall) throws(CallError) -> Timer.Key {
        guard (1...256).contains(name.utf8.count) else {
            throw CallError(
                .invalidArgument, "timers.bad_name", "A timer's name has 1 to 256 bytes.", detail: "/name")
        }
        return Timer.Key(instance: call.instance.instance, name: name)
    }

    private func commit(
        _ request: SQLCommitRequest, _ call: any HostCall,
        _ response: @escaping @Sendable (SQLCommitResponse) -> any Message
    ) {
        caller.call(storage, "theatre.sql.v1.Database/Commit", request, .system, deadline: call.deadline) {
            (result: Result<SQLCommitResponse, CallError>) in
            do throws(CallError) {
                call.complete(try encoded(response(try result.get())))
            } catch {
                call.fail(error)
            }
        }
    }
}
