// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost

/// Where spans go. Called on the thread that enforces deadlines, a few milliseconds after the calls ended; must not
/// block.
public protocol SpanExporter: AnyObject, Sendable {
    /// These calls have ended; those that ended on one thread come oldest first.
    func export(_ spans: [Span])
}

/// One call, as traced.
public struct Span: Sendable {
    /// W3C trace, span and parent span.
    public let identity: SpanIdentity
    let name: SpanName
    /// Who served it: an instance, or `host`.
    public var instance: String { name.instance }
    /// Of that instance; 0 for the host.
    public var generation: UInt32 { name.generation }
    /// `capability/Operation`.
    public var operation: String { name.operation }
    /// On the host's monotonic clock.
    public let startNanoseconds: UInt64
    /// How long.
    public let durationNanoseconds: UInt64
    /// How it ended.
    public let code: StatusCode
    /// Which candidates were skipped, and why.
    public let note: String?
}

/// What all spans of one operation have in common.
final class SpanName: Sendable {
    let instance: String
    let generation: UInt32
    let operation: String

    init(_ instance: String, _ generation: UInt32, _ operation: String) {
        self.instance = instance
        self.generation = generation
        self.operation = operation
    }
}

/// The numbers of a W3C trace context.
public struct SpanIdentity: Sendable, Hashable {
    /// Upper half of the trace id.
    public var traceHigh: UInt64 = 0
    /// Lower half of the trace id.
    public var traceLow: UInt64 = 0
    /// This span.
    public var span: UInt64 = 0
    /// The one above, or 0.
    public var parent: UInt64 = 0
    /// Whether it is recorded.
    public var isSampled = false

    /// No trace.
    public init() {}

    /// The first span of a trace, sampled.
    public init(traceHigh: UInt64, traceLow: UInt64, span: UInt64) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
        isSampled = true
    }

    /// As a W3C traceparent, 55 characters.
    public var traceparent: String {
        String(unsafeUninitializedCapacity: Self.fieldSize - 2) { out in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.fieldSize) { field in
                guard let start = field.baseAddress else { return 0 }
                writeField(to: start)
                return out.initialize(fromContentsOf: field[2..<Self.fieldSize])
            }
        }
    }

    /// Reads `00-<32 hex>-<16 hex>-<2 hex>`; nil for anything else.
    public init?(traceparent: String) {
        let bytes = Array(traceparent.utf8)
        guard bytes.count == 55, bytes[2] == 45, bytes[35] == 45, bytes[52] == 45,
            let version = Self.number(bytes[0..<2]), version == 0, let high = Self.number(bytes[3..<19]),
            let low = Self.number(bytes[19..<35]), let span = Self.number(bytes[36..<52]),
            let flags = Self.number(bytes[53..<55]), high | low != 0, span != 0
        else { return nil }
        traceHigh = high
        traceLow = low
        self.span = span
        isSampled = flags & 1 == 1
    }

    /// A span below this one.
    @inline(__always)
    func child(_ thread: ThreadPointer) -> SpanIdentity {
        var child = self
        child.parent = span
        child.span = theatre_thread_random(thread)
        return child
    }

    /// The first span of a new trace.
    @inline(__always)
    static func root(_ thread: ThreadPointer, isSampled: Bool) -> SpanIdentity {
        var root = SpanIdentity()
        root.traceHigh = theatre_thread_random(thread)
        root.traceLow = theatre_thread_random(thread)
        root.span = theatre_thread_random(thread)
        root.isSampled = isSampled
        return root
    }

    /// Bytes of ``writeField(to:)``.
    static let fieldSize = 57

    /// Writes field 12 of `theatre.host.v1.Context`: tag, length and the traceparent.
    @inline(__always)
    func writeField(to out: UnsafeMutablePointer<UInt8>) {
        out[0] = 0x62
        out[1] = 55
        out[2] = 48
        out[3] = 48
        out[4] = 45
        theatre_write_hex(traceHigh, out + 5)
        theatre_write_hex(traceLow, out + 21)
        out[37] = 45
        theatre_write_hex(span, out + 38)
        out[54] = 45
        out[55] = 48
        out[56] = isSampled ? 49 : 48
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for byte in digits {
            switch byte {
            case 48...57: value = value << 4 | UInt64(byte - 48)
            case 97...102: value = value << 4 | UInt64(byte - 87)
            default: return nil
            }
        }
        return value
    }
}

/// An exporter and the share of new traces it gets.
final class SpanSettings: Sendable {
    let exporter: any SpanExporter
    let threshold: UInt64
    let ring = SpanRing()

    init(_ exporter: any SpanExporter, ratio: Double) {
        self.exporter = exporter
        threshold = ratio >= 1 ? .max : UInt64(max(0, ratio) * Double(UInt64.max))
    }

    /// Hands over what has ended since the last time.
    func flush() { ring.drain(batch: 512) { exporter.export($0) } }

    /// The span of a call: below `above`, or the first of a trace.
    @inline(__always)
    func identity(_ thread: ThreadPointer, below above: SpanIdentity?) -> SpanIdentity {
        if let above, above.span != 0 { return above.child(thread) }
        return .root(thread, isSampled: threshold == .max || theatre_thread_random(thread) <= threshold)
    }
}
