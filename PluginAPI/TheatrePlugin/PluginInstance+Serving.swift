// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import SwiftProtobuf

extension PluginInstance {
    @inline(__always)
    func serveUnary<Provider: Sendable, Request: Message, Response: Message>(
        _ request: theatre_request, _ provider: Provider,
        _ body: nonisolated(nonsending) @escaping @Sendable (Provider, Request, Call) async throws -> Response
    ) {
        if runsInline {
            // Read while the host lends it.
            guard let message: Request = message(of: request) else { return }
            let served = ServedCall(self, request)
            start(served) {
                do {
                    try served.checkStart()
                    let payload = try await body(provider, message, Call(served: served)).wireBytes()
                    self.succeed(served, payload)
                } catch {
                    self.fail(served, error)
                }
            }
        } else {
            // Read on the pool's threads: what is allocated on one thread and freed on another costs both.
            let served = ServedCall(self, request, keepsPayload: true)
            start(served) {
                do {
                    try served.checkStart()
                    let payload = try await body(provider, served.message(), Call(served: served)).wireBytes()
                    self.succeed(served, payload)
                } catch {
                    self.fail(served, error)
                }
            }
        }
    }

    func serveStreaming<Request: Message, Response: Message>(
        _ request: theatre_request,
        _ body: nonisolated(nonsending) @escaping @Sendable (Request, Call, MessageSink<Response>) async throws -> Void
    ) {
        let served = ServedCall(self, request, keepsPayload: true, outbound: true)
        guard let outbound = served.outbound else { return }
        start(served) {
            do {
                try served.checkStart()
                try await body(served.message(), Call(served: served), MessageSink(channel: outbound))
                outbound.finish()
                self.succeed(served, [])
            } catch {
                outbound.close(error)
                self.fail(served, error)
            }
        }
    }

    func serveBidirectional<Request: Message, Response: Message>(
        _ request: theatre_request,
        _ body:
            nonisolated(nonsending) @escaping @Sendable (MessageStream<Request>, Call, MessageSink<Response>)
            async throws -> Void
    ) {
        let served = ServedCall(self, request, inbound: true, outbound: true)
        guard let inbound = served.inbound, let outbound = served.outbound else { return }
        start(served) {
            do {
                try served.checkStart()
                try await body(
                    MessageStream(channel: inbound, owner: nil), Call(served: served), MessageSink(channel: outbound))
                outbound.finish()
                self.succeed(served, [])
            } catch {
                outbound.close(error)
                self.fail(served, error)
            }
        }
    }

    /// The request, or nil where it is malformed and the call has been answered.
    private func message<Request: Message>(of request: theatre_request) -> Request? {
        do throws(PluginError) {
            return try ServedCall.message(request.payload.buffer)
        } catch {
            refuse(request.call, error)
            return nil
        }
    }
}

extension ServedCall {
    /// A call that nobody waits for any more is not begun.
    fileprivate func checkStart() throws {
        if isCancelled { throw PluginError(.cancelled, "plugin.cancelled", "The call was cancelled before it began.") }
    }
}
