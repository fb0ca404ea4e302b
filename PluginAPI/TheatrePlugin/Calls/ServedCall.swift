// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// A call this instance serves, from its beginning to its completion, and as long as its handler keeps it.
final class ServedCall: Sendable {
    /// Kept by `keeper`.
    let instance: Unmanaged<PluginInstance>
    private let keeper: InstanceKeeper
    let inbound: InboundChannel?
    let outbound: OutboundChannel?
    /// Nobody else's until this call is gone; only read.
    private nonisolated(unsafe) let record: RecordPointer
    /// Whose task serves it, and nothing else until the call is done. Set once, before `state` says that it is begun.
    @exclusivity(unchecked) private nonisolated(unsafe) var runner: CallRunner?
    private let state: Atomic<UInt8>
    private let decoded = Mutex<HostContext?>(nil)

    private static let cancelled: UInt8 = 1
    private static let done: UInt8 = 2
    private static let begun: UInt8 = 4

    /// Takes over the record.
    init(_ record: RecordPointer, inbound: Bool = false, outbound: Bool = false) {
        keeper = record.pointee.keeper.takeUnretainedValue()
        instance = .passUnretained(keeper.instance)
        self.record = record
        state = Atomic(record.pointee.isCancelled ? Self.cancelled : 0)
        let id = record.pointee.id
        let connection = inbound || outbound ? keeper.instance.connection : nil
        self.inbound =
            inbound ? InboundChannel(endsWithChunk: true, grant: { connection?.grant(id, $0) }) : nil
        self.outbound = outbound ? OutboundChannel { connection?.send(id, $0) ?? THEATRE_NOT_FOUND } : nil
    }

    deinit { keeper.records.giveBack(record) }

    var connection: HostConnection { keeper.instance.connection }
    var id: theatre_id { record.pointee.id }
    /// What serves it.
    var handler: OperationHandler {
        instance._withUnsafeGuaranteedRef { $0.handlers[Int(record.pointee.operation)] }
    }
    /// Whether that is the handler of this provider.
    func isServed(by provider: ObjectIdentifier) -> Bool {
        instance._withUnsafeGuaranteedRef { $0.handlers[Int(record.pointee.operation)].identity == provider }
    }
    var deadline: UInt64 { record.pointee.deadline }
    var attempt: UInt32 { record.pointee.attempt }
    var hasSideEffect: Bool { record.pointee.flags & THEATRE_CALL_SIDE_EFFECT != 0 }
    var key: String { String(decoding: record.pointee.key, as: UTF8.self) }

    /// The request.
    ///
    /// - Throws: `PluginError` INVALID_ARGUMENT `plugin.malformed_request`.
    func message<Request: Message>() throws(PluginError) -> Request {
        do {
            return try Request(borrowing: record.pointee.payload)
        } catch {
            throw PluginError(
                .invalidArgument, "plugin.malformed_request", "The request is not a \(Request.protoMessageName).")
        }
    }

    /// Decoded at the first use; an unreadable one is empty.
    var context: HostContext {
        decoded.withLock { decoded in
            if let decoded { return decoded }
            let context: HostContext
            do { context = try HostContext(borrowing: record.pointee.context) } catch { context = HostContext() }
            decoded = context
            return context
        }
    }

    var isCancelled: Bool { state.load(ordering: .acquiring) & Self.cancelled != 0 }

    /// Whose task serves it.
    func begin(with runner: CallRunner) {
        self.runner = runner
        state.bitwiseOr(Self.begun, ordering: .acquiringAndReleasing)
    }

    /// The answer is no longer wanted.
    func cancel() {
        let (before, _) = state.bitwiseOr(Self.cancelled, ordering: .acquiringAndReleasing)
        // Before it is begun, whoever begins it sees that it may not. Once it is done the runner serves another call;
        // in between, the runner sees afterwards that it may not.
        if before & (Self.begun | Self.done) == Self.begun { runner?.cancel() }
        inbound?.end(.failure(CancellationError()))
        outbound?.close(CancellationError())
    }

    /// Completed; a cancellation from now on leaves the runner alone.
    func done() {
        state.bitwiseOr(Self.done, ordering: .acquiringAndReleasing)
        inbound?.end(.failure(CancellationError()))
    }
}
