// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import SwiftProtobuf
public import TheatreContracts

extension HostKeysClient {
    /// The version of a key that signs now, for what names it before it is signed: a header's `kid`. The newest whose time
    /// has come; one that is published for later does not sign yet.
    ///
    /// - Returns: nil where the host has no public half of the key.
    public func signing(by key: String) async throws -> HostPublicKey? {
        let versions = try await publicKeys(.with { $0.key = key }).keys
        let now = caller.now
        return versions.first { $0.signsFrom <= now } ?? versions.last
    }
}

extension Caller {
    /// Milliseconds since 1970.
    var now: Int64 { Int64(clamping: connection.now(THEATRE_CLOCK_WALL) / 1_000_000) }
}
