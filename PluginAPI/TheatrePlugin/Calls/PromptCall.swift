// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin

/// A call that may be answered before `invoke` returns, on the thread that brought it: what the host lends with it is
/// read where it lies. It cannot be kept.
package struct PromptCall: ~Copyable {
    private let context: UnsafeRawBufferPointer
    /// The request message.
    package let payload: UnsafeRawBufferPointer

    init(_ request: theatre_request) {
        context = request.context.buffer
        payload = request.payload.buffer
    }

    /// The tenant whose data is touched, and the instance that calls, as the host says, in UTF-8; nil where the context
    /// is unreadable. Lent for as long as the call is.
    package var tenantAndCaller: (tenant: UnsafeRawBufferPointer, caller: UnsafeRawBufferPointer)? {
        var tenant = UnsafeRawBufferPointer(start: nil, count: 0)
        var caller = tenant
        var reader = WireReader(context)
        while !reader.isAtEnd {
            guard let tag = reader.varint() else { return nil }
            switch (tag >> 3, tag & 7) {
            case (1, 2):
                guard let text = reader.field() else { return nil }
                tenant = text
            case (18, 2):
                guard let text = reader.field() else { return nil }
                caller = text
            case (_, 2): guard reader.field() != nil else { return nil }
            case (_, 0): guard reader.varint() != nil else { return nil }
            default: return nil
            }
        }
        return (tenant, caller)
    }
}
