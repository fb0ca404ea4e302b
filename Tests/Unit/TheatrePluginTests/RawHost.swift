// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import Synchronization
import TheatrePlugin

/// A host of bare C functions: what crosses the seam is seen and forged here.
///
/// Unchecked: `instance` and the two tables are set before any call is made.
final class RawHost: @unchecked Sendable {
    struct Completion: Sendable {
        var code: Int32
        var payload: [UInt8]
        var reason: String
        var message: String
        var detail: String
        var effect: UInt32
    }

    struct State {
        var nextID: UInt64 = 1
        var completions: [UInt64: [Completion]] = [:]
        var waiters: [UInt64: CheckedContinuation<Completion, Never>] = [:]
        var cancelled: [UInt64] = []
        var credits: [UInt64: UInt64] = [:]
        var chunks: [UInt64: [(sequence: UInt64, flags: UInt32, bytes: [UInt8])]] = [:]
        var sendWaiters: [(UInt64, Int, CheckedContinuation<Void, Never>)] = []
    }

    typealias RequestHandler = @Sendable (RawHost, _ id: UInt64, _ payload: [UInt8], _ deadline: UInt64) -> Int32

    let state = Mutex(State())
    let table = UnsafeMutablePointer<theatre_host>.allocate(capacity: 1)
    let onRequest: RequestHandler
    var instance: UnsafeMutablePointer<theatre_instance>?

    init(onRequest: @escaping RequestHandler = { _, _, _, _ in THEATRE_UNIMPLEMENTED }) {
        self.onRequest = onRequest
        table.initialize(to: .sized)
        table.pointee.ctx = Unmanaged.passRetained(self).toOpaque()
        table.pointee.complete = { ctx, id, result in
            guard let host = find(ctx), let result else { return THEATRE_INVALID_ARGUMENT }
            host.completed(id, result.pointee)
            return THEATRE_OK
        }
        table.pointee.request = { ctx, request, id, _ in
            guard let host = find(ctx), let request, let id else { return THEATRE_INVALID_ARGUMENT }
            let call = host.newID()
            id.pointee = call
            return host.onRequest(host, call, request.pointee.payload.copy, request.pointee.deadline_ns)
        }
        table.pointee.send = { ctx, id, chunk in
            guard let host = find(ctx), let chunk else { return THEATRE_INVALID_ARGUMENT }
            host.sent(id, chunk.pointee)
            return THEATRE_OK
        }
        table.pointee.credit = { ctx, id, bytes in
            find(ctx)?.state.withLock { $0.credits[id, default: 0] += bytes }
        }
        table.pointee.cancel = { ctx, id, _ in
            find(ctx)?.state.withLock { $0.cancelled.append(id) }
        }
        table.pointee.is_live = { _, _ in 1 }
        table.pointee.now = { _, _ in 5_000_000_000 }
        table.pointee.log = { _, _, _, _ in }
    }

    func newID() -> UInt64 {
        state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
    }

    /// Creates an instance; the error is what the plugin said.
    func create<P: Plugin>(_ type: P.Type, manifest: String, configuration: String = "{}") -> (Int32, Completion) {
        var error = theatre_error.sized
        var create = theatre_create.sized
        let code = withBytes(manifest) { manifest in
            withBytes(configuration) { configuration in
                withBytes("raw") { name in
                    create.manifest = manifest
                    create.configuration = configuration
                    create.instance = name
                    return PluginEntry.create(type, table, &create, &instance, &error)
                }
            }
        }
        return (
            code,
            Completion(
                code: error.code, payload: [], reason: error.reason.text, message: error.message.text,
                detail: error.detail.text, effect: error.effect)
        )
    }

    /// Invokes an operation and waits for its completion.
    func call(_ operation: UInt32, _ payload: [UInt8], flags: UInt32 = 0) async -> Completion {
        let id = newID()
        return await withCheckedContinuation { continuation in
            state.withLock { $0.waiters[id] = continuation }
            _ = invoke(id, operation, payload, flags: flags)
        }
    }

    @discardableResult
    func invoke(_ id: UInt64, _ operation: UInt32, _ payload: [UInt8], flags: UInt32 = 0) -> Int32 {
        guard let instance else { return -1 }
        return payload.withUnsafeBytes { bytes in
            var request = theatre_request.sized
            request.call = id
            request.operation = operation
            request.flags = flags
            request.attempt = 1
            request.payload = theatre_bytes(bytes)
            return instance.pointee.invoke?(instance.pointee.`self`, &request) ?? -1
        }
    }

    /// Waits for the completion of a call invoked before.
    func completion(of id: UInt64) async -> Completion {
        await withCheckedContinuation { continuation in
            let done = state.withLock { state in
                if let done = state.completions[id]?.first { return done as Completion? }
                state.waiters[id] = continuation
                return nil
            }
            if let done { continuation.resume(returning: done) }
        }
    }

    func reply(_ id: UInt64, _ payload: [UInt8]) -> Int32 {
        guard let instance else { return -1 }
        return payload.withUnsafeBytes { bytes in
            var result = theatre_result.sized
            result.payload = theatre_bytes(bytes)
            return instance.pointee.reply?(instance.pointee.`self`, id, &result) ?? -1
        }
    }

    func send(_ id: UInt64, _ sequence: UInt64, _ payload: [UInt8], flags: UInt32 = 0) -> Int32 {
        guard let instance else { return -1 }
        return payload.withUnsafeBytes { bytes in
            var chunk = theatre_chunk.sized
            chunk.seq = sequence
            chunk.flags = flags
            chunk.data = theatre_bytes(bytes)
            return instance.pointee.send?(instance.pointee.`self`, id, &chunk) ?? -1
        }
    }

    func cancel(_ id: UInt64) {
        if let instance { instance.pointee.cancel?(instance.pointee.`self`, id, THEATRE_CANCEL_CALLER) }
    }

    func credit(_ id: UInt64, _ bytes: UInt64) {
        if let instance { instance.pointee.credit?(instance.pointee.`self`, id, bytes) }
    }

    /// Waits until so many chunks of a call have come.
    func chunks(of id: UInt64, count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.chunks[id, default: []].count >= count { return true }
                state.sendWaiters.append((id, count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    private func completed(_ id: UInt64, _ result: theatre_result) {
        let error = result.error?.pointee
        let completion = Completion(
            code: result.code, payload: result.payload.copy, reason: error?.reason.text ?? "",
            message: error?.message.text ?? "", detail: error?.detail.text ?? "", effect: error?.effect ?? 0)
        let waiter = state.withLock { state in
            state.completions[id, default: []].append(completion)
            return state.waiters.removeValue(forKey: id)
        }
        waiter?.resume(returning: completion)
    }

    private func sent(_ id: UInt64, _ chunk: theatre_chunk) {
        let ready = state.withLock { state in
            state.chunks[id, default: []].append((chunk.seq, chunk.flags, chunk.data.copy))
            let count = state.chunks[id]?.count ?? 0
            let ready = state.sendWaiters.filter { $0.0 == id && $0.1 <= count }
            state.sendWaiters.removeAll { $0.0 == id && $0.1 <= count }
            return ready.map(\.2)
        }
        for waiter in ready { waiter.resume() }
    }
}

private func find(_ ctx: UnsafeMutableRawPointer?) -> RawHost? {
    guard let ctx else { return nil }
    return Unmanaged<RawHost>.fromOpaque(ctx).takeUnretainedValue()
}

private func withBytes<R>(_ text: String, _ body: (theatre_bytes) -> R) -> R {
    var text = text
    return text.withUTF8 { body(theatre_bytes(UnsafeRawBufferPointer($0))) }
}
