// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Sends what was made in parts that fit into messages.
struct MediaSender {
    /// Most bytes of a part.
    static let mostBytes = 128 << 10
    let output: MessageSink<ContentMediaPart>

    /// Begins a piece.
    func head(_ edit: (inout ContentMediaHead) -> Void) async throws {
        var head = ContentMediaHead()
        edit(&head)
        try await output.send(.with { $0.head = head })
    }

    /// Sends bytes of the piece that was begun.
    func data(_ bytes: [UInt8]) async throws {
        for start in stride(from: 0, to: bytes.count, by: Self.mostBytes) {
            try Task.checkCancellation()
            try await output.send(
                .with { $0.data = Data(bytes[start..<min(start + Self.mostBytes, bytes.count)]) })
        }
    }

    /// Ends the stream.
    func end(_ model: String, _ usage: ContentUsage) async throws {
        try await output.send(
            .with {
                $0.end.usage = usage
                $0.end.model = model
            })
    }
}
