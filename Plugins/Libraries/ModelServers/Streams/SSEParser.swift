// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Server-sent events out of bytes that come in any pieces: lines end in LF, CR or CRLF, `:` begins a comment, several
/// `data` lines are one text, and characters may be halved between two pieces.
///
/// After the HTML standard, section 9.2.6; ids and reconnection times do not matter here.
public struct SSEParser: Sendable {
    /// One event.
    public struct Event: Sendable, Hashable {
        /// Its name; `message` where none was given.
        public var name: String
        /// Its data lines, with line feeds between them.
        public var data: String

        /// An event.
        public init(name: String, data: String) { (self.name, self.data) = (name, data) }
    }

    /// An event or a line is longer than ``longest``.
    public struct TooLong: Error {}

    /// Most bytes of a line and of an event.
    public static let longest = 1 << 20

    private var line: [UInt8] = []
    private var endedInCR = false
    private var isFirstLine = true
    private var name = ""
    private var data: [String] = []
    private var size = 0

    /// At the beginning of a stream.
    public init() {}

    /// Takes bytes and gives the events that they complete.
    public mutating func push(_ bytes: some Sequence<UInt8>) throws(TooLong) -> [Event] {
        var events: [Event] = []
        for byte in bytes {
            let followsCR = endedInCR
            endedInCR = byte == 0x0D
            if byte == 0x0A, followsCR { continue }
            guard byte == 0x0A || byte == 0x0D else {
                guard line.count < Self.longest else { throw TooLong() }
                line.append(byte)
                continue
            }
            if let event = try endLine() { events.append(event) }
        }
        return events
    }

    private mutating func endLine() throws(TooLong) -> Event? {
        defer { line.removeAll(keepingCapacity: true) }
        var bytes = line[...]
        if isFirstLine, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        isFirstLine = false
        guard !bytes.isEmpty else { return dispatch() }
        let colon = bytes.firstIndex(of: 0x3A) ?? bytes.endIndex
        var value = bytes[colon...].dropFirst()
        if value.first == 0x20 { value = value.dropFirst() }
        switch String(decoding: bytes[..<colon], as: UTF8.self) {
        case "data":
            size += value.count
            guard size <= Self.longest else { throw TooLong() }
            data.append(String(decoding: value, as: UTF8.self))
        case "event": name = String(decoding: value, as: UTF8.self)
        default: break
        }
        return nil
    }

    private mutating func dispatch() -> Event? {
        defer { (name, data, size) = ("", [], 0) }
        guard !data.isEmpty else { return nil }
        return Event(name: name.isEmpty ? "message" : name, data: data.joined(separator: "\n"))
    }
}
