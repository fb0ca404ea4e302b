// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// A verified principal with what every request of it needs. Immutable.
final class Caller: Sendable {
    let principal: Principal
    /// Its fields of `theatre.host.v1.Context`, encoded.
    let contextFields: [UInt8]

    init(_ principal: Principal) {
        self.principal = principal
        contextFields =
            HostContext.with {
                $0.tenant = principal.tenant
                $0.principal = principal.id
                $0.principalKind = principal.kind == .user ? .user : .service
                $0.session = principal.session
                $0.roles = principal.roles
            }.bytes
    }
}

/// The token of a connection's last request and whom it spoke for: the next request mostly brings the same.
///
/// Compared byte for byte, so nothing is hashed; only while nothing was revoked since, and until it expires.
struct LastCaller {
    let header: String
    private let caller: Caller
    private let epoch: Int

    init(_ header: String, _ caller: Caller, epoch: Int) {
        self.header = header
        self.caller = caller
        self.epoch = epoch
    }

    func find(_ header: String, at now: Int64, epoch: Int) -> Caller? {
        guard epoch == self.epoch, caller.principal.expiresAt > now, header == self.header else { return nil }
        return caller
    }
}
