// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import FoundationEssentials
internal import TheatreManifest

/// The C functions of a recording host.
enum HostFunctions {
    static func fill(_ table: UnsafeMutablePointer<theatre_host>) {
        table.pointee.complete = { ctx, id, result in find(ctx)?.complete(id, result) ?? THEATRE_INVALID_ARGUMENT }
        table.pointee.request = { ctx, request, id, error in
            find(ctx)?.request(request, id, error) ?? THEATRE_INVALID_ARGUMENT
        }
        table.pointee.send = { ctx, id, chunk in find(ctx)?.send(id, chunk) ?? THEATRE_INVALID_ARGUMENT }
        table.pointee.credit = { ctx, _, _ in _ = find(ctx)?.isOpen("credit") }
        table.pointee.cancel = { ctx, id, _ in find(ctx)?.cancel(id) }
        table.pointee.is_live = { ctx, id in find(ctx)?.isLive(id) == true ? 1 : 0 }
        table.pointee.now = { ctx, kind in find(ctx)?.now(kind) ?? 0 }
        table.pointee.log = { ctx, level, message, fields in find(ctx)?.log(level, message, fields) }
    }
}

private func find(_ ctx: UnsafeMutableRawPointer?) -> RecordingHost? {
    guard let ctx else { return nil }
    return Unmanaged<RecordingHost>.fromOpaque(ctx).takeUnretainedValue()
}

/// What a log line carries beside its text.
enum LogFields {
    static func areObject(_ fields: String) -> Bool {
        guard !fields.isEmpty else { return true }
        guard let value = try? JSONValue(json: Data(fields.utf8)) else { return false }
        return value.object != nil
    }
}

/// The error of a refused request: static bytes, as the interface asks.
enum Refusal {
    private static let texts: [String: StaticText] = Dictionary(
        uniqueKeysWithValues: ["route.unrouted", "call.no_service"].map { ($0, StaticText($0)) })
    private static let message = StaticText("The validator's host does not do this.")

    static func fill(_ error: UnsafeMutablePointer<theatre_error>?, _ code: theatre_code, _ reason: String) {
        guard let error else { return }
        error.pointee.code = code
        error.pointee.effect = THEATRE_EFFECT_NONE
        error.pointee.retry = THEATRE_RETRY_NEVER
        error.pointee.reason = (texts[reason] ?? message).bytes
        error.pointee.message = message.bytes
    }
}

/// Bytes that live as long as the process.
///
/// Unchecked: never written after `init`.
private final class StaticText: @unchecked Sendable {
    private let buffer: UnsafeMutableBufferPointer<UInt8>

    init(_ text: String) {
        buffer = .allocate(capacity: text.utf8.count)
        _ = buffer.initialize(from: text.utf8)
    }

    var bytes: theatre_bytes {
        theatre_bytes(data: UnsafePointer(buffer.baseAddress), size: UInt64(buffer.count))
    }
}
