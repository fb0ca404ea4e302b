// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Runtime
import SwiftProtobuf
import TheatreContracts

@testable import Remote

/// What a server said to a stream.
struct Heard<Frame: Sendable>: Sendable {
    var frames: [Frame] = []
    /// Nil where it ended without.
    var status: Status?
    /// What the status' details say.
    var error: CallError?
}

/// A client of a plugin's server that keeps to no rule.
struct HostileHost: Sendable {
    private let transport: HTTP2ClientTransport.Posix

    /// - Parameter path: the server's socket.
    init(path: String) throws {
        transport = try HTTP2ClientTransport.Posix(
            target: .unixDomainSocket(path: path), transportSecurity: .plaintext)
    }

    /// Connects for as long as `body` runs.
    func connected<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
        try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask { [transport] in
                try await transport.connect()
                return nil
            }
            group.addTask { [transport] in
                defer { transport.beginGracefulShutdown() }
                return try await body()
            }
            var result: T?
            while let next = try await group.next() { result = next ?? result }
            guard let result else { throw CancellationError() }
            return result
        }
    }

    /// A session in which these frames are sent at once; the frames that came back, and the status where one came.
    func session(_ frames: [[UInt8]]) async throws -> Heard<RemotePluginFrame> {
        try await talk(sessionMethod, [:], frames) { try RemotePluginFrame(wire: $0) }
    }

    /// A call with this header and message.
    func call(_ method: MethodDescriptor, _ metadata: Metadata, _ messages: [[UInt8]]) async throws -> Heard<[UInt8]> {
        try await talk(method, metadata, messages) { $0 }
    }

    private func talk<T: Sendable>(
        _ method: MethodDescriptor, _ metadata: Metadata, _ messages: [[UInt8]],
        _ read: @escaping @Sendable ([UInt8]) throws -> T
    ) async throws -> Heard<T> {
        var options = CallOptions.defaults
        options.waitForReady = true
        return try await transport.withStream(descriptor: method, options: options) { stream, _ in
            var heard = Heard<T>()
            do {
                try await stream.outbound.write(.metadata(metadata))
                for message in messages { try await stream.outbound.write(.message(GRPCNIOTransportBytes(message))) }
                await stream.outbound.finish()
            } catch {
                // The server had enough of it; what it said is read all the same.
            }
            do {
                for try await part in stream.inbound {
                    switch part {
                    case .metadata: continue
                    case .message(let bytes): heard.frames.append(try read(bytes.withUnsafeBytes { Array($0) }))
                    case .status(let status, let trailers):
                        heard.status = status
                        let code = StatusCode(lenient: Int32(status.code.rawValue))
                        heard.error = StatusDetails.error(in: trailers, code: code)
                        return heard
                    }
                }
            } catch let error as RPCError {
                heard.status = Status(code: Status.Code(error.code), message: error.message)
            }
            return heard
        }
    }

    /// An instance in a session that stays open while `body` runs: its answers to create and activate come first.
    func instance<T: Sendable>(
        _ create: RemoteCreate, _ body: @escaping @Sendable ([RemotePluginFrame]) async throws -> T
    ) async throws -> T {
        try await transport.withStream(descriptor: sessionMethod, options: .defaults) { stream, _ in
            try await stream.outbound.write(.metadata([:]))
            let frames = [
                RemoteHostFrame.with { $0.create = create }, RemoteHostFrame.with { $0.step = .activate },
            ]
            var answers: [RemotePluginFrame] = []
            var inbound = stream.inbound.makeAsyncIterator()
            for frame in frames {
                try await stream.outbound.write(.message(GRPCNIOTransportBytes(frame.wireBytes)))
                while let part = try await inbound.next() {
                    guard case .message(let bytes) = part else { continue }
                    let answer = try RemotePluginFrame(wire: bytes.withUnsafeBytes { Array($0) })
                    guard case .done = answer.frame else { continue }
                    answers.append(answer)
                    break
                }
            }
            let result = try await body(answers)
            await stream.outbound.finish()
            return result
        }
    }
}
