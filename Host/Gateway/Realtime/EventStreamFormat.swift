// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// Server-sent events as bytes.
enum EventStreamFormat {
    /// An event of the log.
    static func write(_ event: FeedEvent, into out: inout ByteBuffer) {
        out.writeString("id: \(event.offset)\nevent: \(line(event.type))\ndata: {\"event_id\":")
        out.writeJSON(event.id)
        out.writeStaticString(",\"type\":")
        out.writeJSON(event.type)
        out.writeStaticString(",\"aggregate\":")
        out.writeJSON(event.aggregate)
        out.writeString(",\"at\":\"\(timestamp(event.at))\",\"data\":")
        out.writeString(event.data.isEmpty ? "{}" : line(event.data))
        out.writeStaticString("}\n\n")
    }

    /// What became of the stream itself.
    static func state(_ state: String, offset: Int64, reason: String = "") -> ByteBuffer {
        var out = ByteBuffer()
        // Only a reset moves the client's Last-Event-ID.
        if state == "reset" || state == "started" { out.writeString("id: \(offset)\n") }
        out.writeString("event: stream\ndata: {\"state\":\"\(state)\",\"offset\":\(offset)")
        if !reason.isEmpty { out.writeString(",\"reason\":\"\(reason)\"") }
        out.writeStaticString("}\n\n")
        return out
    }

    static let heartbeat = ByteBuffer(string: ": heartbeat\n\n")

    /// Line breaks would end the field; in JSON they are only white space.
    private static func line(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 10 || $0 == 13 }) else { return text }
        return String(decoding: text.utf8.map { $0 == 10 || $0 == 13 ? 32 : $0 }, as: UTF8.self)
    }

    /// RFC 3339 in UTC with milliseconds.
    static func timestamp(_ milliseconds: Int64) -> String {
        let day = Int64(86_400_000)
        let days = milliseconds >= 0 ? milliseconds / day : (milliseconds - day + 1) / day
        let rest = milliseconds - days * day
        // Days to a civil date, proleptic Gregorian, eras of 400 years.
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func pad(_ value: Int64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        let date = "\(pad(year, 4))-\(pad(month, 2))-\(pad(dayOfYear - (153 * shifted + 2) / 5 + 1, 2))"
        let time = "\(pad(rest / 3_600_000, 2)):\(pad(rest / 60_000 % 60, 2)):\(pad(rest / 1000 % 60, 2))"
        return "\(date)T\(time).\(pad(rest % 1000, 3))Z"
    }
}
