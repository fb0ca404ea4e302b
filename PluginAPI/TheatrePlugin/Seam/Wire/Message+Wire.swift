// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import TheatreContracts

/// The messages of a point read and of a small commit, which would spend more on protobuf's generic code than on the database.
extension Message {
    /// Nil where the message is of another type, or not quite as expected.
    @inline(__always)
    static func quickly(_ bytes: UnsafeRawBufferPointer) -> Self? {
        if Self.self == HostContext.self { return HostContext(wire: bytes) as? Self }
        if Self.self == SQLQueryRequest.self { return SQLQueryRequest(wire: bytes) as? Self }
        if Self.self == SQLRows.self { return SQLRows(wire: bytes) as? Self }
        if Self.self == SQLCommitRequest.self { return SQLCommitRequest(wire: bytes) as? Self }
        if Self.self == SQLCommitResponse.self { return SQLCommitResponse(wire: bytes) as? Self }
        return nil
    }

    /// Nil where the message is of another type, or holds what is not known here.
    @inline(__always)
    var quickBytes: [UInt8]? {
        if Self.self == SQLQueryRequest.self { return (self as? SQLQueryRequest)?.wire }
        if Self.self == SQLRows.self { return (self as? SQLRows)?.wire }
        if Self.self == SQLCommitRequest.self { return (self as? SQLCommitRequest)?.wire }
        if Self.self == SQLCommitResponse.self { return (self as? SQLCommitResponse)?.wire }
        return nil
    }
}
