// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import NIOCore
internal import NIOHTTP1
internal import Runtime
internal import SwiftProtobuf
internal import TheatreContracts
internal import TheatreManifest

/// One request on its way to a plugin and back.
///
/// Everything is used on the event loop, but `outcome` and what ``complete(_:_:)`` reads of it (`entry`, `mailbox`),
/// which are set before the call starts; the one thread that completes it writes `outcome` before the mailbox, whose
/// lock orders it before ``settle()``.
final class Exchange: CallSink, @unchecked Sendable {
    private(set) var head: RequestHead
    let headers: RequestHeaders
    let requestID: String
    let trace: SpanIdentity
    let startedAt: NIODeadline
    let mailbox: Mailbox
    private let loop: any EventLoop
    /// Taken away when the connection is gone: the answer then has nowhere to go.
    var handler: RequestHandler?

    var entry: RouteEntry?
    var captures: [Range<Int>] = []
    /// Where the path ends in the target's UTF-8.
    var pathEnd = 0
    var caller: Caller?
    /// Whose he is where he brings no token.
    let stranger: HostTenants.Stranger
    /// The path's parameters, once they were decoded.
    var parameters: [RouteParameter]?
    /// The project that the route's scope led to, or empty.
    var project = ""
    /// What was decided by the standing there, for the audit; empty where nothing was.
    var decision = ""
    var isAuthorised = false
    /// Somebody else has to approve it first.
    var needsApproval = false
    var isComplete = false
    var body = ByteBuffer()
    /// Bytes of the body of a request that was encoded.
    private(set) var received = 0
    var message: [UInt8] = []
    var context: CallContext?
    var call = CallID.none
    var attempts: UInt32 = 0
    /// The idempotency key it holds.
    var claim: KeyClaim?
    /// Starts a stream once the request is whole, in place of a call.
    var opensStream: ((RequestHandler) -> Void)?
    var extraHeaders: [(String, String)] = []
    let fixedFields: FixedFields
    /// Its place among the requests of its class, where those are limited.
    var place: ConcurrencyLimits.Place?
    private var outcome: Outcome = .none

    enum Outcome {
        case none
        case answer(Answer)
        case failure(CallError)
    }

    /// An answer ready to be written.
    struct Answer {
        var status: HTTPResponseStatus
        var contentType: String
        var body: ByteBuffer
        var headers: [(String, String)] = []
    }

    init(head: RequestHead, headers: RequestHeaders, state: LoopState, handler: RequestHandler) {
        self.head = head
        self.headers = headers
        self.handler = handler
        loop = state.loop
        mailbox = state.mailbox
        startedAt = handler.now
        fixedFields = handler.core.fixedFields
        stranger = handler.core.tenants.stranger(head)
        if let given = headers.requestID, IdentitySource.isRequestID(given) {
            requestID = given
        } else {
            requestID = state.identity.requestID(at: wallMilliseconds())
        }
        if let given = headers.traceparent, IdentitySource.isTraceparent(given),
            let given = SpanIdentity(traceparent: given)
        {
            trace = given
        } else {
            trace = state.identity.trace()
        }
    }

    var traceID: String { String(trace.traceparent.dropFirst(3).prefix(32)) }
    var path: Substring.UTF8View { head.uri.utf8.prefix(pathEnd) }
    var query: Substring.UTF8View {
        let all = head.uri.utf8
        return pathEnd < all.count ? all.dropFirst(pathEnd + 1) : all.suffix(0)
    }

    /// Lets go of what the message holds too: the bytes it was read from can be used again.
    func wasEncoded() {
        received = body.readableBytes
        body = ByteBuffer()
        head.dropFields()
    }

    /// SHA-256 of method, path, query and body, or of the first three.
    func digest(withBody: Bool = true) -> SHA256.Digest {
        var hash = SHA256()
        let method = head.method.rawValue.utf8
        let parts = (path, query)
        let size = method.count + parts.0.count + parts.1.count + 3
        (withBody ? body : ByteBuffer()).withUnsafeReadableBytes { body in
            // In one piece where it is small: each piece costs as much as some hundred bytes.
            let copied = body.count <= 1024 ? body.count : 0
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: size + copied) { start in
                var end = Self.put(method, start, 0)
                end = Self.put(parts.0, start, end)
                end = Self.put(parts.1, start, end)
                if copied > 0 { _ = start[end...].initialize(fromContentsOf: body) }
                hash.update(bufferPointer: UnsafeRawBufferPointer(start))
            }
            if body.count > copied { hash.update(bufferPointer: body) }
        }
        return hash.finalize()
    }

    /// Writes text and a zero, and says where they end.
    private static func put(_ text: some Collection<UInt8>, _ out: UnsafeMutableBufferPointer<UInt8>, _ start: Int)
        -> Int
    {
        let end = out[start...].initialize(fromContentsOf: text)
        out.initializeElement(at: end, to: 0)
        return end + 1
    }

    /// Reads a response message into an answer. Any thread.
    static func answer(_ payload: UnsafeRawBufferPointer, of entry: RouteEntry) throws -> Answer {
        switch entry.body {
        case .message(let codec):
            return Answer(
                status: entry.success, contentType: "application/json", body: try codec.response(payload))
        case .raw, .rawStream:
            return try RawCodec.answer(payload)
        }
    }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        if let error = result.error {
            outcome = .failure(error)
        } else if let entry {
            do {
                outcome = .answer(try Self.answer(result.payload, of: entry))
            } catch {
                entry.noteMalformedAnswer(error)
                outcome = .failure(
                    CallError(
                        .internal, "gateway.response", "the response cannot be written: \(error)", effect: .applied))
            }
        }
        if loop.inEventLoop { settle() } else { mailbox.post(self) }
    }

    /// Hands the outcome to the connection. On the loop.
    func settle() {
        let outcome = outcome
        self.outcome = .none
        call = .none
        if handler == nil { claim = nil }
        handler?.settle(self, outcome)
    }
}
