// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Runtime
public import SwiftProtobuf

extension HostCall {
    /// The request message, or INVALID_ARGUMENT `host.bad_request`.
    public func decode<Request: Message>(_ type: Request.Type) throws(CallError) -> Request {
        do {
            return try Request(serializedBytes: payload)
        } catch {
            throw CallError(
                .invalidArgument, "host.bad_request",
                "The request does not decode as \(Request.protoMessageName); build against this host's contracts.")
        }
    }

    /// Serves a call that is answered at once.
    public func answer<Request: Message, Response: Message>(
        _ type: Request.Type, _ body: (Request) throws(CallError) -> Response
    ) {
        do throws(CallError) {
            complete(try encoded(try body(try decode(type))))
        } catch {
            fail(error)
        }
    }

    /// Refuses an operation that the contract does not have.
    public func failUnknown(_ operation: String, of contract: String) {
        fail(CallError(.unimplemented, "host.no_operation", "\(contract) has no operation \(operation)."))
    }
}

/// The bytes of a message, or INTERNAL `host.encoding`.
func encoded(_ message: some Message) throws(CallError) -> [UInt8] {
    do {
        return try message.serializedBytes()
    } catch {
        throw CallError(.internal, "host.encoding", "The host could not encode a message: \(error).")
    }
}
