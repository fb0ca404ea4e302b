// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import Synchronization
internal import TheatreManifest

extension Fleet {
    /// Asks the old generation for its state and gives it to the new one, where both know how.
    ///
    /// What cannot be taken out is given up: the new one starts without it, as after a restart. What cannot be taken in
    /// is a fault of the new one.
    func handOver(from old: RunningInstance?, to fresh: RunningInstance) throws(LoadError) -> Bool {
        guard let old, old.state == .ready,
            old.plan.file.manifest.name == fresh.plan.file.manifest.name,
            let taking = old.port.operation(named: Handover.take),
            let giving = fresh.port.operation(named: Handover.give)
        else { return false }
        let seconds = fresh.plan.controlSeconds
        let state: [UInt8]
        switch dispatcher.wait(CallTarget(port: old.port, operation: taking), [], seconds: seconds) {
        case .success(let bytes): state = bytes
        case .failure(let error):
            logger.warning(
                "state could not be taken out of the old generation; the new one starts without",
                metadata: Self.metadata(old).merging(["error": "\(error)"]) { $1 })
            return false
        }
        switch dispatcher.wait(CallTarget(port: fresh.port, operation: giving), state, seconds: seconds) {
        case .success: return true
        case .failure(let error):
            throw fresh.quarantine(
                LoadError(
                    plugin: "\(fresh.plan.name) (\(fresh.plan.file.manifest.name))", code: "instance.handover_failed",
                    expected: "a generation that takes over the state of generation \(old.generation)",
                    found: "\(error)", fix: "correct the plugin's ImportState, or swap with --fresh"))
        }
    }
}

/// The operations by which a generation hands its state to the next.
public enum Handover {
    /// Asked of the old generation.
    public static let take = "theatre.host.v1.Handover/ExportState"
    /// Asked of the new one, before it serves.
    public static let give = "theatre.host.v1.Handover/ImportState"
}

extension Dispatcher {
    /// Calls an operation and waits. Blocks: for threads of the host's own.
    func wait(_ target: CallTarget, _ payload: [UInt8], seconds: Int) -> Result<[UInt8], CallError> {
        let answer = Answer()
        payload.withUnsafeBytes { bytes in
            var call = OutgoingCall(payload: bytes, context: .system)
            call.timeout = UInt64(seconds) * 1_000_000_000
            start(call, on: target, sink: answer)
        }
        return answer.wait()
    }
}

/// A thread that waits for a call.
private final class Answer: CallSink {
    private let latch = Latch()
    private let result = Mutex<Result<[UInt8], CallError>?>(nil)

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        let outcome: Result<[UInt8], CallError> =
            if let error = result.error { .failure(error) } else { .success(Array(result.payload)) }
        self.result.withLock { $0 = outcome }
        latch.open()
    }

    /// A call always completes.
    func wait() -> Result<[UInt8], CallError> {
        latch.wait()
        return result.withLock { $0 } ?? .failure(Dispatcher.expired(effect: .unknown))
    }
}
