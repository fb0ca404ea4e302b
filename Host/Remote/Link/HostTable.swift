// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime

/// The host's function table, as its link to a server uses it.
struct HostTable: @unchecked Sendable {
    // The table and its context live as long as the dispatcher, and may be called on any thread.
    private let table: UnsafePointer<theatre_host>

    init(_ table: UnsafePointer<theatre_host>) { self.table = table }

    private var context: UnsafeMutableRawPointer? { table.pointee.ctx }

    func complete(_ call: UInt64, _ ending: Ending) {
        var result = theatre_result()
        result.struct_size = UInt32(MemoryLayout<theatre_result>.size)
        switch ending {
        case .answered(let payload):
            payload.withUnsafeBytes { bytes in
                result.payload = theatre_bytes(borrowing: bytes)
                _ = table.pointee.complete(context, call, &result)
            }
        case .failed(let error):
            result.code = error.code.rawValue
            error.withCError { cError in
                withUnsafePointer(to: &cError) { pointer in
                    result.error = pointer
                    _ = table.pointee.complete(context, call, &result)
                }
            }
        }
    }

    /// Makes a call of the instance's; its id.
    func request(_ operation: UInt32, _ request: borrowing OutgoingRequest) throws(CallError) -> UInt64 {
        var id: UInt64 = 0
        var refusal = theatre_error()
        refusal.struct_size = UInt32(MemoryLayout<theatre_error>.size)
        let code = borrow([request.payload, request.key, request.attributes]) { parts in
            var raw = theatre_request()
            raw.struct_size = UInt32(MemoryLayout<theatre_request>.size)
            raw.operation = operation
            raw.on_behalf_of = request.onBehalfOf
            raw.payload = parts[0]
            raw.idempotency_key = parts[1]
            raw.attributes = parts[2]
            raw.attempt = request.attempt
            if request.timeout != 0 {
                let (deadline, isBeyond) = now.addingReportingOverflow(request.timeout)
                raw.deadline_ns = isBeyond ? .max : deadline
            }
            return table.pointee.request(context, &raw, &id, &refusal)
        }
        guard code == THEATRE_OK else { throw CallError(StatusCode(lenient: code), refusal) }
        return id
    }

    /// THEATRE_OK, RESOURCE_EXHAUSTED without credit, or why the stream takes no more.
    func send(_ call: UInt64, _ message: [UInt8], seq: UInt64, end: Bool) -> theatre_code {
        message.withUnsafeBytes { bytes in
            var chunk = theatre_chunk()
            chunk.struct_size = UInt32(MemoryLayout<theatre_chunk>.size)
            chunk.flags = end ? THEATRE_CHUNK_END : 0
            chunk.seq = seq
            chunk.data = theatre_bytes(borrowing: bytes)
            return table.pointee.send(context, call, &chunk)
        }
    }

    func credit(_ call: UInt64, _ bytes: UInt64) { table.pointee.credit(context, call, bytes) }

    func cancel(_ call: UInt64) { table.pointee.cancel(context, call, THEATRE_CANCEL_CALLER) }

    /// Nanoseconds of the host's monotonic clock.
    var now: UInt64 { table.pointee.now(context, THEATRE_CLOCK_MONOTONIC) }

    func log(_ level: UInt32, _ message: String, _ fields: String) {
        borrow([Array(message.utf8), Array(fields.utf8)]) { table.pointee.log(context, level, $0[0], $0[1]) }
    }
}

/// How a call ended.
enum Ending: Sendable {
    case answered([UInt8])
    case failed(CallError)
}

/// A call that an instance makes, as its server sent it.
struct OutgoingRequest: ~Copyable {
    var onBehalfOf: UInt64 = 0
    var payload: [UInt8] = []
    var key: [UInt8] = []
    var attributes: [UInt8] = []
    /// Nanoseconds from now; 0 for the caller's deadline.
    var timeout: UInt64 = 0
    var attempt: UInt32 = 1
}

extension theatre_bytes {
    init(borrowing buffer: UnsafeRawBufferPointer) {
        self.init(data: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), size: UInt64(buffer.count))
    }

    var array: [UInt8] { Array(UnsafeRawBufferPointer(start: data, count: data == nil ? 0 : Int(size))) }

    var string: String { String(decoding: array, as: UTF8.self) }
}

/// Lends several arrays as `theatre_bytes`.
func borrow<R>(_ arrays: [[UInt8]], _ body: ([theatre_bytes]) -> R) -> R {
    func next(_ index: Int, _ parts: [theatre_bytes]) -> R {
        guard index < arrays.count else { return body(parts) }
        return arrays[index].withUnsafeBytes { next(index + 1, parts + [theatre_bytes(borrowing: $0)]) }
    }
    return next(0, [])
}
