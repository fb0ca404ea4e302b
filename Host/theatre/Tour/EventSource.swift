// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import TheatreManifest

/// Server-sent events out of a response body.
struct EventSource: AsyncSequence {
    let body: HTTPClientResponse.Body

    /// One event.
    struct Event: Sendable {
        var id = ""
        var type = ""
        var data = JSONValue.null
    }

    func makeAsyncIterator() -> Iterator { Iterator(body: body.makeAsyncIterator()) }

    struct Iterator: AsyncIteratorProtocol {
        var body: HTTPClientResponse.Body.AsyncIterator
        var pending = ByteBuffer()
        var event = Event()
        var data = ""

        mutating func next() async throws -> Event? {
            while true {
                while let line = nextLine() {
                    if let complete = take(line) { return complete }
                }
                guard var part = try await body.next() else { return nil }
                pending.writeBuffer(&part)
            }
        }

        private mutating func nextLine() -> String? {
            guard let end = pending.readableBytesView.firstIndex(of: 10) else { return nil }
            let line = pending.readString(length: end - pending.readerIndex) ?? ""
            pending.moveReaderIndex(forwardBy: 1)
            pending.discardReadBytes()
            return line.hasSuffix("\r") ? String(line.dropLast()) : line
        }

        private mutating func take(_ line: String) -> Event? {
            guard !line.isEmpty else {
                defer { event = Event(); data = "" }
                guard !data.isEmpty else { return nil }
                event.data = (try? JSONValue(json: Data(data.utf8))) ?? .string(data)
                return event
            }
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
            switch parts[0] {
            case "id": event.id = value
            case "event": event.type = value
            case "data": data += data.isEmpty ? value : "\n" + value
            default: break
            }
            return nil
        }
    }
}
