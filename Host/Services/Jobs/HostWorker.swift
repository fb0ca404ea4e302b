// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// Runs jobs of the host's own queues here, and sends all other calls on.
final class HostWorker: UnaryCalling {
    /// Owner of the host's queues; no instance has this name.
    static let name = "host"
    /// Set in no id that the dispatcher gives to who calls an instance.
    private static let mark: UInt64 = 1 << 31

    private let calls: any UnaryCalling
    private let rewrap: SecretRewrap
    private let state = Mutex((last: UInt64(0), cancelled: Set<CallID>(), running: Set<CallID>()))

    init(_ calls: any UnaryCalling, rewrap: SecretRewrap) {
        self.calls = calls
        self.rewrap = rewrap
    }

    func call(_ call: UnaryCall, _ then: @escaping @Sendable (Result<[UInt8], CallError>) -> Void) -> CallID {
        guard call.instance == Self.name, call.operation == JobQueue.operation else { return calls.call(call, then) }
        let job: JobsJob
        do { job = try JobsRunRequest(serializedBytes: call.payload).job } catch {
            then(.failure(CallError(.invalidArgument, "host.bad_request", "The job does not decode.")))
            return .none
        }
        let id = state.withLock { state in
            state.last += 1
            let id = CallID(rawValue: state.last << 32 | Self.mark)
            state.running.insert(id)
            return id
        }
        rewrap.run(job, deadline: call.deadline, isWanted: { [self] in isWanted(id) }) { [self] result in
            state.withLock { state in
                state.running.remove(id)
                state.cancelled.remove(id)
            }
            then(result)
        }
        return id
    }

    func cancel(_ call: CallID) {
        let isOwn = state.withLock { state in
            guard state.running.contains(call) else { return false }
            state.cancelled.insert(call)
            return true
        }
        if !isOwn, call.rawValue & Self.mark == 0 { calls.cancel(call) }
    }

    func generation(of instance: String, _ operation: String) -> UInt32 {
        instance == Self.name ? 1 : calls.generation(of: instance, operation)
    }

    private func isWanted(_ id: CallID) -> Bool { state.withLock { !$0.cancelled.contains(id) } }
}
