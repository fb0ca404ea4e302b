// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Runtime

/// Connects an instance to the servers it was granted, at its request, and hands it the connected sockets.
final class Dialler: Sendable {
    private let socket: Int32
    private let peers: [SandboxPlan.Peer]

    init(socket: Int32, peers: [SandboxPlan.Peer]) {
        self.socket = socket
        self.peers = peers
    }
}
