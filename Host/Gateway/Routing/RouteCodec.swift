// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
public import Runtime

/// Turns an HTTP request into an operation's request message and its response message into a body.
///
/// `request` is called on the event loop, `response` on any thread; neither may block.
public protocol RouteCodec: Sendable {
    /// The request message, encoded.
    ///
    /// - Throws: INVALID_ARGUMENT with a pointer in `detail` where the request does not fit the message.
    func request(body: ByteBuffer, path: [RouteParameter], query: [RouteParameter]) throws(CallError) -> [UInt8]

    /// Whether the request message has a field of this name.
    func takes(_ field: String) -> Bool

    /// Whether the request message has a secret somewhere.
    var takesSecrets: Bool { get }

    /// The body for a response message, JSON.
    func response(_ payload: UnsafeRawBufferPointer) throws -> ByteBuffer
}

/// A name and a percent-decoded value, of a path or a query.
public struct RouteParameter: Sendable, Hashable {
    /// Name.
    public var name: String
    /// Value.
    public var value: String

    /// A pair.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// How a route's body is read.
public enum RouteBody: Sendable {
    /// As the operation's own message.
    case message(any RouteCodec)
    /// The operation is theatre.http.v1.Handler/Handle: both bodies whole.
    case raw
    /// The operation is theatre.http.v1.Handler/HandleStream: both bodies as they come.
    case rawStream
}
