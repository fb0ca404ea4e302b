// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
import SwiftProtobuf
public import TheatreContracts
public import TheatrePlugin

/// Sends what a server made in parts that fit into messages.
public struct MediaParts: Sendable {
    private static let mostBytes = 128 << 10
    private let output: MessageSink<ContentMediaPart>

    /// To a call's answer.
    public init(_ output: MessageSink<ContentMediaPart>) { self.output = output }

    /// Begins a piece.
    public func head(_ head: ContentMediaHead) async throws { try await output.send(.with { $0.head = head }) }

    /// Sends bytes of the piece that was begun.
    public func data(_ data: Data) async throws {
        var rest = data
        while !rest.isEmpty {
            let part = rest.prefix(Self.mostBytes)
            try await output.send(.with { $0.data = Data(part) })
            rest = rest.dropFirst(part.count)
        }
    }

    /// Ends the stream.
    public func end(_ model: String, _ usage: ContentUsage) async throws {
        try await output.send(
            .with { part in
                part.end.model = model
                part.end.usage = usage
            })
    }
}
