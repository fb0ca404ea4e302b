// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// The host's end of a Session: steps of the instance's life, and the calls it makes.
final class SessionClient: Sendable {
    private let link: RemoteLink
    let calls: SessionCalls
    private let frames = FrameQueue()
    private let state = Mutex(State())

    private struct State {
        var awaited: (step: RemoteStep, done: Latch)?
        var answer: RemoteDone?
        /// Why no more answers come.
        var end: End?
    }

    /// How a session ended.
    enum End: Sendable {
        /// The server does not know of sessions.
        case unsupported
        case lost(String)
        case requested
    }

    init(_ link: RemoteLink, _ host: HostTable) {
        self.link = link
        calls = SessionCalls(link.plan.calls.map(\.name), host) { [frames, weak link] frame in
            if !frames.put(frame) { link?.lost("it asks for more than it takes") }
        }
    }

    /// Most bytes of a frame: an answer of a host service, and what is around it.
    static let frameLimit = Dispatcher.Limits().serviceAnswerSize + 1 << 20

    // MARK: steps

    /// What a step came to.
    enum Outcome: Sendable {
        case done
        case failed(CallError)
        case ended(End)
        case silent
    }

    /// Has the server take a step and waits for it, on the instance's control thread.
    func take(_ step: RemoteStep, _ frame: RemoteHostFrame, seconds: Int) -> Outcome {
        let done = Latch()
        let end = state.withLock { state in
            state.answer = nil
            state.awaited = (step, done)
            return state.end
        }
        if let end { return .ended(end) }
        _ = frames.put(frame)
        let isAnswered = done.wait(seconds: seconds)
        return state.withLock { state in
            state.awaited = nil
            if let answer = state.answer {
                return answer.hasError ? .failed(CallError(answer.error)) : .done
            }
            if let end = state.end { return .ended(end) }
            return isAnswered ? .ended(.requested) : .silent
        }
    }

    private func answered(_ answer: RemoteDone) {
        let done = state.withLock { state -> Latch? in
            guard let awaited = state.awaited, awaited.step == answer.step else { return nil }
            state.answer = answer
            return awaited.done
        }
        done?.open()
    }

    /// Ends the session: the server forgets the instance.
    func end() { finish(.requested) }

    private func finish(_ end: End) {
        let done = state.withLock { state in
            state.end = state.end ?? end
            return state.awaited?.done
        }
        frames.finish()
        done?.open()
        calls.end()
    }

    // MARK: the stream

    /// Runs until the stream ends.
    func run() async {
        var options = CallOptions.defaults
        options.waitForReady = false
        options.maxRequestMessageBytes = Self.frameLimit
        options.maxResponseMessageBytes = Self.frameLimit
        let end: End
        do {
            end = try await link.transport.withStream(descriptor: sessionMethod, options: options) { stream, _ in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { [frames] in
                        try await stream.outbound.write(.metadata([:]))
                        for await frame in frames.frames {
                            try await stream.outbound.write(.message(GRPCNIOTransportBytes(frame)))
                            frames.wrote(frame)
                        }
                        await stream.outbound.finish()
                    }
                    let end = try await self.read(stream.inbound)
                    group.cancelAll()
                    return end
                }
            }
        } catch {
            end = .lost(Reach.words(error))
        }
        finish(end)
        if case .lost(let cause) = end { link.lost(cause) }
    }

    private func read(_ inbound: HTTP2ClientTransport.Posix.Inbound) async throws -> End {
        for try await part in inbound {
            switch part {
            case .metadata: continue
            case .message(let bytes):
                link.heard()
                let frame = try RemotePluginFrame(wire: bytes.withUnsafeBytes { Array($0) })
                if case .done(let done)? = frame.frame { answered(done) } else { calls.act(on: frame) }
            case .status(let status, _):
                if status.code == .unimplemented { return .unsupported }
                return .lost("it ended the session: \(status.code) \(status.message)")
            }
        }
        return .lost("the session ended")
    }
}
