// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import SwiftProtobuf
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
    /// The context, the key, and the payload where it is kept.
    private let bytes: [UInt8]
    private let contextSize: Int
    private let keySize: Int
    private let state = Atomic<UInt8>(0)
    private let decoded = Mutex<HostContext?>(nil)

    private static let cancelled: UInt8 = 1
    private static let done: UInt8 = 2

    /// - Parameter keepsPayload: for ``message()``: the host's bytes are gone once `invoke` returns.
    init(
        _ instance: PluginInstance, _ request: theatre_request, keepsPayload: Bool = false, inbound: Bool = false,
        outbound: Bool = false
    ) {
        let id = request.call
        let connection = instance.connection
        self.instance = instance
        self.id = id
        deadline = request.deadline_ns
        attempt = request.attempt
        flags = request.flags
        let payload = keepsPayload ? request.payload.buffer : UnsafeRawBufferPointer(start: nil, count: 0)
        bytes = Self.join(request.context.buffer, request.idempotency_key.buffer, payload)
        contextSize = request.context.buffer.count
        keySize = request.idempotency_key.buffer.count
        self.inbound =
            inbound ? InboundChannel(endsWithChunk: true, grant: { connection.grant(id, $0) }) : nil
        self.outbound = outbound ? OutboundChannel { connection.send(id, $0) } : nil
    }

    private static func join(
        _ context: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer
    ) -> [UInt8] {
        let size = context.count + key.count + payload.count
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            raw.copyMemory(from: context)
            if !key.isEmpty { UnsafeMutableRawBufferPointer(rebasing: raw[context.count...]).copyMemory(from: key) }
            if !payload.isEmpty {
                UnsafeMutableRawBufferPointer(rebasing: raw[(context.count + key.count)...]).copyMemory(from: payload)
            }
            count = size
        }
    }

    var hasSideEffect: Bool { flags & THEATRE_CALL_SIDE_EFFECT != 0 }
    var key: String { String(decoding: bytes[contextSize..<contextSize + keySize], as: UTF8.self) }

    /// The request, of a call that keeps its payload.
    ///
    /// - Throws: `PluginError` INVALID_ARGUMENT `plugin.malformed_request`.
    func message<Request: Message>() throws -> Request {
        try bytes.withUnsafeBytes { bytes in
            try Self.message(UnsafeRawBufferPointer(rebasing: bytes[(contextSize + keySize)...]))
        }
    }

    /// The request as the host lends it.
    ///
    /// - Throws: `PluginError` INVALID_ARGUMENT `plugin.malformed_request`.
    static func message<Request: Message>(_ payload: UnsafeRawBufferPointer) throws(PluginError) -> Request {
        do {
            return try Request(borrowing: payload)
        } catch {
            throw PluginError(
                .invalidArgument, "plugin.malformed_request", "The request is not a \(Request.protoMessageName).")
        }
    }

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
