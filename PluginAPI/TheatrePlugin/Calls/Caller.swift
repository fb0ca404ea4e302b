// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
public import SwiftProtobuf

/// Makes the calls of one feature; generated clients are written with it.
public struct Caller: Sendable {
    let connection: HostConnection
    private let onBehalfOf: UInt64
    private let feature: CallNames.Feature

    /// Calls of `feature`, on behalf of what `scope` serves.
    public init(_ scope: some CallScope, feature: String) {
        let origin = scope.origin
        connection = origin.connection
        onBehalfOf = origin.onBehalfOf
        self.feature = origin.connection.operations(of: feature)
    }

    /// One request, one response.
    ///
    /// - Throws: `PluginError`: what the other end answered, or why the host refused.
    public nonisolated(nonsending) func unary<Request: Message, Response: Message>(
        _ operation: String, _ request: Request, _ options: CallOptions
    ) async throws -> Response {
        try decode(await unary(operation, bytes: request.wireBytes(), options), operation)
    }

    /// As ``unary(_:_:_:)`` for a message and an answer in bytes.
    nonisolated(nonsending) func unary(_ operation: String, bytes: [UInt8], _ options: CallOptions) async throws
        -> [UInt8]
    {
        let asked = try requesting(operation, bytes, options, flags: 0) { try connection.ask(&$0) }
        switch asked {
        case .answered(let answer): return try answer.get()
        case .waiting(let call): return try await call.value()
        }
    }

    /// One request, a stream of responses.
    ///
    /// - Throws: `PluginError` where the host refused; what fails later, the stream throws.
    public func serverStreaming<Request: Message, Response: Message>(
        _ operation: String, _ request: Request, _ options: CallOptions
    ) async throws -> MessageStream<Response> {
        let call = OutgoingCall(connection, inbound: true)
        try start(call, operation, request, options, flags: THEATRE_CALL_STREAM_OUT)
        return try MessageStream(channel: channel(call.inbound), owner: CallOwner(call))
    }

    /// A stream each way.
    ///
    /// - Throws: `PluginError` where the host refused; what fails later, the streams throw.
    public func bidirectional<Request: Message, Response: Message>(
        _ operation: String, _ options: CallOptions
    ) async throws -> BidirectionalCall<Request, Response> {
        let call = OutgoingCall(connection, inbound: true, outbound: true)
        try start(call, operation, nil as Request?, options, flags: THEATRE_CALL_STREAM_IN | THEATRE_CALL_STREAM_OUT)
        let owner = CallOwner(call)
        return try BidirectionalCall(
            sink: MessageSink(channel: channel(call.outbound)),
            responses: MessageStream(channel: channel(call.inbound), owner: owner))
    }

    private func start(
        _ call: OutgoingCall, _ operation: String, _ message: (some Message)?, _ options: CallOptions, flags: UInt32
    ) throws {
        try requesting(operation, try message?.wireBytes() ?? [], options, flags: flags) {
            try connection.start(call, &$0)
        }
    }

    /// Lends `body` the request as the host takes it.
    @inline(__always)
    private func requesting<Result>(
        _ operation: String, _ payload: [UInt8], _ options: CallOptions, flags: UInt32,
        _ body: (inout theatre_request) throws -> Result
    ) throws -> Result {
        guard let index = feature.index(operation) else { throw undeclared(operation) }
        var request = theatre_request.sized
        request.operation = index
        request.on_behalf_of = onBehalfOf
        request.attempt = 1
        request.flags = flags
        if let timeout = options.timeout {
            request.deadline_ns = connection.now(THEATRE_CLOCK_MONOTONIC) &+ timeout.nanoseconds
        }
        let attributes = try options.attributes?.wireBytes() ?? []
        return try payload.withUnsafeBytes { payload in
            request.payload = theatre_bytes(payload)
            return try attributes.withUnsafeBytes { attributes in
                request.attributes = theatre_bytes(attributes)
                var key = options.idempotencyKey
                return try key.withUTF8 { key in
                    request.idempotency_key = theatre_bytes(UnsafeRawBufferPointer(key))
                    return try body(&request)
                }
            }
        }
    }

    /// The message that an operation answered.
    func decode<Response: Message>(_ bytes: [UInt8], _ operation: String) throws -> Response {
        do {
            return try bytes.withUnsafeBytes { try Response(borrowing: $0) }
        } catch {
            throw PluginError(
                .dataLoss, "plugin.malformed_response",
                "\(feature.name)/\(operation) answered something that is not a \(Response.protoMessageName).",
                effect: .unknown)
        }
    }

    private func channel<Channel>(_ channel: Channel?) throws -> Channel {
        guard let channel else {
            throw PluginError(.internal, "plugin.no_stream", "The call was made without a stream.")
        }
        return channel
    }

    private func undeclared(_ operation: String) -> PluginError {
        PluginError(
            .permissionDenied, "plugin.undeclared_call",
            "\(feature.name)/\(operation) is not in the manifest's calls; add it there to call it.")
    }
}
