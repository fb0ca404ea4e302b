// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import GRPCNIOTransportHTTP2Posix
import SwiftProtobuf
import Synchronization
import TheatreContracts

@testable import Remote

/// A server of Relay that answers the steps of an instance's life, and between them says whatever comes to its mind.
final class HostileServer: Sendable {
    private let transport: HTTP2ServerTransport.Posix
    private let task = Mutex<Task<Void, Never>?>(nil)
    private let state: Mutex<State>

    private struct State {
        var frames: HostileFrames
        var isHonest = false
        /// Ends each session's writing once it holds.
        var isBreaking = false
        var sessions = 0
        var sent = 0
    }

    /// Frames that are sent for each step, and for each other frame that comes.
    private static let replies = (step: 200, other: 4)

    init(path: String, seed: UInt64) {
        state = Mutex(State(frames: HostileFrames(seed: seed)))
        var config = HTTP2ServerTransport.Posix.Config.defaults
        config.rpc.maxRequestPayloadSize = SessionClient.frameLimit
        transport = HTTP2ServerTransport.Posix(
            address: .unixDomainSocket(path: path), transportSecurity: .plaintext, config: config)
        task.withLock { task in
            task = Task { [self] in
                do {
                    try await transport.listen { stream, context in await self.serve(stream, context) }
                } catch { return }
            }
        }
    }

    func stop() {
        transport.beginGracefulShutdown()
        task.withLock { $0 }?.cancel()
    }

    /// How many odd frames went out, in how many sessions.
    var counts: (frames: Int, sessions: Int) { state.withLock { ($0.sent, $0.sessions) } }

    /// From the next session on it does as it should.
    func becomeHonest() { state.withLock { $0.isHonest = true } }

    private typealias Stream = RPCStream<HTTP2ServerTransport.Posix.Inbound, HTTP2ServerTransport.Posix.Outbound>

    private func serve(_ stream: Stream, _ context: ServerContext) async {
        let method = context.descriptor
        do {
            if method == sessionMethod {
                try await session(stream)
            } else if method == Health.check {
                try await answer(stream, [Health.response(.serving)])
            } else if method.service == Health.watch.service {
                try await stream.outbound.write(.status(Status(code: .unimplemented, message: ""), [:]))
                await stream.outbound.finish()
            } else {
                try await call(stream)
            }
        } catch { await stream.outbound.finish(throwing: error) }
    }

    private func answer(_ stream: Stream, _ messages: [[UInt8]], _ code: Status.Code = .ok, _ trailers: Metadata = [:])
        async throws
    {
        for try await part in stream.inbound { if case .message = part { break } }
        try await stream.outbound.write(.metadata([:]))
        for message in messages { try await stream.outbound.write(.message(GRPCNIOTransportBytes(message))) }
        try await stream.outbound.write(.status(Status(code: code, message: "as it likes"), trailers))
        await stream.outbound.finish()
    }

    private func call(_ stream: Stream) async throws {
        let (choice, payload) = state.withLock { state in
            (state.isHonest ? 100 : (0..<7).first { _ in state.frames.isTurn(oneIn: 3) } ?? 7, state.frames.payload())
        }
        switch choice {
        case 0: try await answer(stream, [payload])
        case 1: try await answer(stream, [])
        case 2: try await answer(stream, [payload, payload, []])
        case 3:
            var trailers = Metadata()
            trailers.addBinary(payload, forKey: StatusDetails.key)
            try await answer(stream, [], .aborted, trailers)
        case 4: try await answer(stream, [[UInt8](repeating: 0, count: RemoteLink.messageLimit + 1000)])
        case 5: for try await _ in stream.inbound {}
        case 6: await stream.outbound.finish()
        // theatre.http.v1.Response with status 200.
        default: try await answer(stream, [[0x08, 0xC8, 0x01]])
        }
    }

    private func session(_ stream: Stream) async throws {
        let isHonest = state.withLock { state in
            state.sessions += 1
            return state.isHonest
        }
        try await stream.outbound.write(.metadata([:]))
        for try await part in stream.inbound {
            guard case .message(let bytes) = part else { continue }
            let frame = try RemoteHostFrame(wire: bytes.withUnsafeBytes { Array($0) })
            let step: RemoteStep?
            switch frame.frame {
            case .create: step = .create
            case .step(let taken): step = taken
            default: step = nil
            }
            if !isHonest { try await sendOdd(stream, step == nil ? Self.replies.other : Self.replies.step) }
            guard let step else { continue }
            let done = RemotePluginFrame.with { $0.done = .with { $0.step = step } }
            try await stream.outbound.write(.message(GRPCNIOTransportBytes(done.wireBytes)))
        }
        try await stream.outbound.write(.status(Status(code: .ok, message: ""), [:]))
        await stream.outbound.finish()
    }

    /// A few odd frames; now and then one that ends the session, since it is none.
    private func sendOdd(_ stream: Stream, _ count: Int) async throws {
        for _ in 0..<count {
            let frame = state.withLock { state -> [UInt8]? in
                guard !state.isHonest else { return state.frames.broken([0xff, 0xff, 0xff]) }
                state.sent += 1
                let frame = state.frames.fromServer()
                // Answers to steps would be taken for answers.
                guard frame.first != 0x0a else { return nil }
                return state.frames.isTurn(oneIn: 400) ? state.frames.broken(frame) : frame
            }
            if let frame { try await stream.outbound.write(.message(GRPCNIOTransportBytes(frame))) }
        }
    }
}
