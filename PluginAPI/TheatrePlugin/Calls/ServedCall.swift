// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization
internal import TheatreContracts

/// A call this instance serves, from the seam's `invoke` to its completion.
final class ServedCall: Sendable {
    let instance: PluginInstance
    let id: theatre_id
    let deadline: UInt64
    let attempt: UInt32
    let flags: UInt32
    let inbound: InboundChannel?
    let outbound: OutboundChannel?
    /// Whose task serves it, and nothing else until the call is done. Set once, before anybody can ask for the call.
    @exclusivity(unchecked) private nonisolated(unsafe) var runner: CallRunner?
    /// The context, then the key.
    private let bytes: [UInt8]
    private let contextSize: Int
    private let state = Atomic<UInt8>(0)
    private let decoded = Mutex<HostContext?>(nil)

    private static let cancelled: UInt8 = 1
    private static let done: UInt8 = 2

    init(_ instance: PluginInstance, _ request: theatre_request, inbound: Bool = false, outbound: Bool = false) {
        let id = request.call
        let connection = instance.connection
        self.instance = instance
        self.id = id
        deadline = request.deadline_ns
        attempt = request.attempt
        flags = request.flags
        (bytes, contextSize) = Self.join(request.context.buffer, request.idempotency_key.buffer)
        self.inbound =
            inbound ? InboundChannel(endsWithChunk: true, grant: { connection.grant(id, $0) }) : nil
        self.outbound = outbound ? OutboundChannel { connection.send(id, $0) } : nil
    }

    private static func join(_ context: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer) -> ([UInt8], Int) {
        let size = context.count + key.count
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            raw.copyMemory(from: context)
            if !key.isEmpty { UnsafeMutableRawBufferPointer(rebasing: raw[context.count...]).copyMemory(from: key) }
            count = size
        }
        return (bytes, context.count)
    }

    var hasSideEffect: Bool { flags & THEATRE_CALL_SIDE_EFFECT != 0 }
    var key: String { String(decoding: bytes[contextSize...], as: UTF8.self) }

    /// Decoded at the first use; an unreadable one is empty.
    var context: HostContext {
        decoded.withLock { decoded in
            if let decoded { return decoded }
            let context = bytes.withUnsafeBytes { bytes -> HostContext in
                let bytes = UnsafeRawBufferPointer(rebasing: bytes[..<contextSize])
                do { return try HostContext(borrowing: bytes) } catch { return HostContext() }
            }
            decoded = context
            return context
        }
    }

    var isCancelled: Bool { state.load(ordering: .acquiring) & Self.cancelled != 0 }

    /// Before it can be cancelled.
    func isServed(by runner: CallRunner) { self.runner = runner }

    /// The answer is no longer wanted.
    func cancel() {
        let (before, _) = state.bitwiseOr(Self.cancelled, ordering: .acquiringAndReleasing)
        // Once it is done the runner serves another call. Before, the runner sees afterwards that it may not.
        if before & Self.done == 0 { runner?.cancel() }
        inbound?.end(.failure(CancellationError()))
        outbound?.close(CancellationError())
    }

    /// Completed; a cancellation from now on leaves the runner alone.
    func done() {
        state.bitwiseOr(Self.done, ordering: .acquiringAndReleasing)
        inbound?.end(.failure(CancellationError()))
    }
}
