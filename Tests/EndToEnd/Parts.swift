// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix
import Synchronization
import TheatreManifest

/// Holds a task back until it is opened, and tells when it is held.
final class Gate: Sendable {
    private let state = Mutex((isReached: false, isOpen: false))

    var isOpen: Bool { state.withLock { $0.isOpen } }

    func open() { state.withLock { $0.isOpen = true } }

    func reached() async throws {
        try await eventually("the gate is reached") { self.state.withLock { $0.isReached } ? true : nil }
    }

    func pass() async throws {
        state.withLock { $0.isReached = true }
        try await eventually("the gate opens", seconds: 60) { self.state.withLock { $0.isOpen } ? true : nil }
    }
}

/// A body in two parts with a gate between them.
struct Parts: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    let first: [UInt8]
    let gate: Gate
    let last: [UInt8]

    struct AsyncIterator: AsyncIteratorProtocol {
        let parts: Parts
        var index = 0

        mutating func next() async throws -> ByteBuffer? {
            index += 1
            switch index {
            case 1: return ByteBuffer(bytes: parts.first)
            case 2:
                try await parts.gate.pass()
                return ByteBuffer(bytes: parts.last)
            default: return nil
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(parts: self) }
}

/// The other end of `--test-clock`.
struct TestClock {
    private let path: String

    init(_ path: String) { self.path = path }

    /// Moves the host's clock and waits until it has moved.
    ///
    /// - Returns: what it says then, milliseconds since 1970.
    @discardableResult
    func advance(milliseconds: Int64) async throws -> Int64 {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(unixDomainSocketPath: path) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: "{\"advance_ms\": \(milliseconds)}\n"))
            for try await answer in inbound {
                let said = String(buffer: answer)
                guard let wall = try JSONValue(json: Data(said.utf8))["wall_ms"]?.integer else {
                    throw Unexpected("the clock said \(said)")
                }
                return wall
            }
            throw Unexpected("the clock said nothing")
        }
    }
}

/// Whether a connection to a server's port is accepted.
func isListening(_ url: String) async -> Bool {
    guard let port = url.split(separator: ":").last.flatMap({ Int($0) }) else { return false }
    do {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port).get()
        try await channel.close()
        return true
    } catch {
        return false
    }
}
