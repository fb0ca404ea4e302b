// TheatreOS
// SPDX-License-Identifier: Apache-2.0

package import CTheatrePlugin
public import SwiftProtobuf

/// A handler of one operation, by its full name `capability/Operation`.
public struct Operation<Provider: Sendable>: Sendable {
    /// As in the manifest's `operations`.
    public let name: String
    package let bind: @Sendable (Provider) -> OperationHandler

    // Inlined, and nothing captured but `body`, which is then inlined as well: every asynchronous function that awaits
    // looks its task's executor up once more.
    /// One request, one response.
    @inline(__always)
    public static func unary<Request: Message, Response: Message>(
        _ name: String,
        _ body: nonisolated(nonsending) @escaping @Sendable (Provider, Request, Call) async throws -> Response
    ) -> Operation {
        let serve: OperationHandler.Serve = { box, runner in
            let provider = unsafeDowncast(box, to: ProviderBox<Provider>.self).provider
            repeat {
                do {
                    // Gone before the runner waits, and its record with it.
                    guard let call = runner.take() else { return }
                    do {
                        try call.checkStart()
                        call.succeed(try await body(provider, call.message(), Call(served: call)).wireBytes())
                    } catch {
                        call.fail(error)
                    }
                    guard runner.isDone(call) else { return }
                }
                if !runner.goOn() { await withUnsafeContinuation { runner.park($0) } }
            } while runner.holds(box)
        }
        return Operation(name: name) { OperationHandler(ProviderBox($0), serve) }
    }

    /// One request, one response, which `promptly` often has at once and as bytes, so that the call needs no task: it runs
    /// on the thread that brings the call, where the instance is `inline`. What it gives nil for goes to `body`.
    package static func unary<Request: Message, Response: Message>(
        _ name: String,
        promptly: @escaping @Sendable (Provider, borrowing PromptCall) throws -> [UInt8]?,
        _ body: nonisolated(nonsending) @escaping @Sendable (Provider, Request, Call) async throws -> Response
    ) -> Operation {
        let asynchronous = unary(name, body)
        return Operation(name: name) { provider in
            var handler = asynchronous.bind(provider)
            handler.promptly = { try promptly(provider, $0) }
            return handler
        }
    }

    /// One request, a stream of responses.
    public static func serverStreaming<Request: Message, Response: Message>(
        _ name: String,
        _ body:
            nonisolated(nonsending) @escaping @Sendable (Provider, Request, Call, MessageSink<Response>) async throws ->
            Void
    ) -> Operation {
        Operation(name: name) { provider in
            OperationHandler(ProviderBox(provider), outbound: true) { _, runner in
                await runner.stream { call, outbound in
                    try await body(provider, call.message(), Call(served: call), MessageSink(channel: outbound))
                }
            }
        }
    }

    /// A stream each way.
    public static func bidirectional<Request: Message, Response: Message>(
        _ name: String,
        _ body:
            nonisolated(nonsending) @escaping @Sendable (Provider, MessageStream<Request>, Call, MessageSink<Response>)
            async throws -> Void
    ) -> Operation {
        Operation(name: name) { provider in
            OperationHandler(ProviderBox(provider), inbound: true, outbound: true) { _, runner in
                await runner.stream { call, outbound in
                    guard let inbound = call.inbound else { return }
                    try await body(
                        provider, MessageStream(channel: inbound, owner: nil), Call(served: call),
                        MessageSink(channel: outbound))
                }
            }
        }
    }
}

/// What serves the calls of one operation.
package struct OperationHandler: Sendable {
    /// Serves the call that the runner has, and what the runner takes next as long as that is this handler's.
    typealias Serve =
        nonisolated(nonsending) @Sendable (_ provider: any AnyObject & Sendable, CallRunner) async -> Void

    /// A ``ProviderBox``, of this handler alone.
    let provider: any AnyObject & Sendable
    let identity: ObjectIdentifier
    let serve: Serve
    /// Whether the caller, and the callee, stream.
    let streams: (inbound: Bool, outbound: Bool)
    /// Has the answer at once, or nil where `serve` is to find it.
    var promptly: (@Sendable (borrowing PromptCall) throws -> [UInt8]?)?

    init(
        _ provider: any AnyObject & Sendable, inbound: Bool = false, outbound: Bool = false, _ serve: @escaping Serve
    ) {
        self.provider = provider
        identity = ObjectIdentifier(provider)
        self.serve = serve
        streams = (inbound, outbound)
    }
}

/// Who provides an operation.
final class ProviderBox<Provider: Sendable>: Sendable {
    let provider: Provider

    init(_ provider: Provider) { self.provider = provider }
}

extension CallRunner {
    /// Serves a call that streams out.
    fileprivate nonisolated(nonsending) func stream(
        _ body: nonisolated(nonsending) (ServedCall, OutboundChannel) async throws -> Void
    ) async {
        do {
            guard let call = take(), let outbound = call.outbound else { return }
            do {
                try call.checkStart()
                try await body(call, outbound)
                outbound.finish()
                call.succeed([])
            } catch {
                outbound.close(error)
                call.fail(error)
            }
            guard isDone(call) else { return }
        }
        if !goOn() { await withUnsafeContinuation { park($0) } }
    }
}
