// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
public import TheatreContracts

extension HostContext {
    /// Its encoding.
    ///
    /// Cannot fail: the message has no required fields, and what it is made of (headers, names of a manifest) is bounded
    /// far below the 2 GiB that an encoding may have.
    public var bytes: [UInt8] {
        do { return try serializedBytes() } catch { preconditionFailure("a context cannot be encoded: \(error)") }
    }

    /// Decodes what the host itself encoded; nothing else may come here.
    init(hostBytes: [UInt8]) {
        do { self = try HostContext(serializedBytes: hostBytes) } catch {
            // Going on with an empty one would make the request a stranger's.
            preconditionFailure("the host wrote a context that it cannot read: \(error)")
        }
    }
}
