// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Logging
internal import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts
internal import TheatreManifest

/// An instance that a host keeps at this server: its session, and the library's instance behind it.
final class ServedInstance: Sendable {
    private let server: PluginServer
    private let shared = Mutex(Shared())
    private let frames: AsyncStream<RemotePluginFrame>
    private let out: AsyncStream<RemotePluginFrame>.Continuation
    private let steps: AsyncStream<RemoteHostFrame>
    private let step: AsyncStream<RemoteHostFrame>.Continuation
    private let forwarder: HostForwarder

    private struct Shared {
        var number: UInt64 = 0
        var name = ""
        var life: InstanceLife?
    }

    init(_ server: PluginServer) {
        self.server = server
        let (frames, out) = AsyncStream.makeStream(of: RemotePluginFrame.self)
        (self.frames, self.out) = (frames, out)
        (steps, step) = AsyncStream.makeStream(of: RemoteHostFrame.self, bufferingPolicy: .bufferingOldest(Self.ahead))
        forwarder = HostForwarder { out.yield($0) }
    }

    /// Most steps that a host may send ahead of their answers; it has no reason for more than one.
    private static let ahead = 16

    /// Its name in the host's plugins.d.
    var name: String { shared.withLock { $0.name } }

    /// What carries its calls; nil before it was created.
    var dispatcher: Dispatcher? { shared.withLock { $0.life }?.dispatcher }

    /// Serves the session until it ends, and then nothing of the instance is left.
    func run(_ stream: PluginServer.Stream, _ context: ServerContext) async throws {
        defer { forget() }
        try await stream.outbound.write(.metadata([:]))
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.takeSteps() }
            group.addTask {
                await self.read(stream.inbound)
                self.end()
            }
            do {
                for await frame in frames {
                    try await stream.outbound.write(.message(GRPCNIOTransportBytes(frame.wireBytes)))
                }
            } catch {
                server.logger.debug("a session broke", metadata: ["instance": "\(name)", "error": "\(error)"])
            }
            end()
            group.cancelAll()
        }
        let life = shared.withLock { $0.life }
        await life?.retire()
        try await stream.outbound.write(.status(Status(code: .ok, message: ""), [:]))
        await stream.outbound.finish()
    }

    /// Lets no new calls in, and returns once those under way have ended, or have had their time.
    func finishCalls() async { await shared.withLock { $0.life }?.drain() }

    /// No call finds the session any more. Its number may be another's from then on.
    private func forget() {
        let number = shared.withLock { shared in
            defer { shared.number = 0 }
            return shared.number
        }
        server.remove(number)
    }

    /// Ends the session.
    func end() {
        forwarder.end()
        step.finish()
        out.finish()
    }

    private func read(_ inbound: HTTP2ServerTransport.Posix.Inbound) async {
        do {
            for try await part in inbound {
                guard case .message(let bytes) = part else { continue }
                let frame = try RemoteHostFrame(wire: bytes.withUnsafeBytes { Array($0) })
                switch frame.frame {
                case .create, .step: if case .dropped = step.yield(frame) { throw Self.tooMany }
                case .reply(let reply): forwarder.end(reply)
                case .chunk(let chunk): if !forwarder.pass(chunk) { throw Self.tooMuch }
                case .credit(let credit): forwarder.credit(credit)
                case nil: continue
                }
            }
        } catch {
            server.logger.debug("a session broke", metadata: ["instance": "\(name)", "error": "\(error)"])
        }
    }

    // MARK: steps

    /// One after the other, beside whatever the instance and the host say to each other meanwhile.
    private func takeSteps() async {
        for await frame in steps {
            switch frame.frame {
            case .create(let create): answer(.create, await self.create(create))
            case .step(let step):
                let life = shared.withLock { $0.life }
                let error: CallError? = if let life { await life.take(step) } else { Self.early }
                // Whoever reads the answer finds the session gone.
                if step == .destroy { forget() }
                answer(step, error)
                if step == .destroy { out.finish() }
            default: continue
            }
        }
    }

    private static let tooMany = CallError(
        .resourceExhausted, "remote.too_many_steps", "The host sends steps without waiting for their answers.")

    private static let tooMuch = CallError(
        .resourceExhausted, "remote.too_much", "The host sends more of a stream than it was given credit for.")

    private static let early = CallError(
        .failedPrecondition, "remote.not_created", "The first frame of a session is create.")

    private func answer(_ step: RemoteStep, _ error: CallError?) {
        out.yield(
            .with {
                $0.done = .with { done in
                    done.step = step
                    if let error { done.error = error.wire }
                }
            })
    }

    private func create(_ create: RemoteCreate) async -> CallError? {
        guard shared.withLock({ $0.life == nil }) else {
            return CallError(.failedPrecondition, "remote.created", "A session creates one instance.")
        }
        let manifest = server.file.manifest
        guard create.plugin == manifest.name, create.version == manifest.version,
            Array(create.manifestSha256) == server.file.manifestDigest
        else {
            return CallError(
                .failedPrecondition, "remote.other_manifest",
                "The host goes by another manifest: \(create.plugin) \(create.version) there, \(manifest.name) "
                    + "\(manifest.version) here; both sides need the same build's.")
        }
        let out = out
        let life: InstanceLife
        do throws(CallError) {
            life = try InstanceLife(server, create, forwarder) { level, message, fields in
                out.yield(
                    .with {
                        $0.log = .with { line in
                            line.level = level
                            line.message = message
                            line.fields = fields
                        }
                    })
            }
        } catch {
            return error
        }
        shared.withLock { shared in
            shared.name = create.instance
            shared.life = life
        }
        guard server.add(self, as: create.session) else {
            shared.withLock { $0.life = nil }
            await life.retire()
            return CallError(.unavailable, "remote.session_taken", "The server stops, or has such a session already.")
        }
        // Only what was added is removed at the end: the number may be another session's.
        shared.withLock { $0.number = create.session }
        return await life.create(create)
    }
}
