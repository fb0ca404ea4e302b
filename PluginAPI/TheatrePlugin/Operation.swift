// TheatreOS
// SPDX-License-Identifier: Apache-2.0

package import CTheatrePlugin
public import SwiftProtobuf

/// A handler of one operation, by its full name `capability/Operation`.
public struct Operation<Provider: Sendable>: Sendable {
    /// As in the manifest's `operations`.
    public let name: String
    package let bind: @Sendable (Provider) -> OperationHandler

    // Inlined, as every closure that awaits costs two changes of executor.
    /// One request, one response.
    @inline(__always)
    public static func unary<Request: Message, Response: Message>(
        _ name: String,
        _ body: nonisolated(nonsending) @escaping @Sendable (Provider, Request, Call) async throws -> Response
    ) -> Operation {
        Operation(name: name) { provider in
            { instance, request in instance.serveUnary(request, provider, body) }
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
            { instance, request in
                instance.serveStreaming(request) { (message: Request, call: Call, sink: MessageSink<Response>) in
                    try await body(provider, message, call, sink)
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
            { instance, request in
                instance.serveBidirectional(request) {
                    (input: MessageStream<Request>, call: Call, sink: MessageSink<Response>) in
                    try await body(provider, input, call, sink)
                }
            }
        }
    }
}

/// Takes a call off the seam: decodes, registers, starts. Never blocks.
package typealias OperationHandler = @Sendable (_ instance: PluginInstance, _ request: theatre_request) -> Void
