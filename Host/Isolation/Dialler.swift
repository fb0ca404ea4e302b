// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import CTheatreIsolation
internal import Glibc
internal import Logging
internal import Runtime

/// Connects an instance to the servers it was granted, at its request, and hands it the connected sockets.
final class Dialler: Sendable {
    private let instance: String
    private let socket: Int32
    private let peers: [SandboxPlan.Peer]
    private let logger: Logger

    /// Takes the socket over; its thread ends with the instance.
    ///
    /// - Throws: `isolation.no_thread`.
    init(instance: String, socket: Int32, peers: [SandboxPlan.Peer], logger: Logger) throws(LoadError) {
        (self.instance, self.socket, self.peers, self.logger) = (instance, socket, peers, logger)
        let retained = Unmanaged.passRetained(self)
        let failure = theatre_thread_start(
            "theatre-dial",
            { raw in
                guard let raw else { return }
                Unmanaged<Dialler>.fromOpaque(raw).takeRetainedValue().serve()
            }, retained.toOpaque())
        guard failure == 0 else {
            retained.release()
            throw LoadError(
                plugin: instance, code: "isolation.no_thread", expected: "a thread that connects the instance",
                found: String(cString: strerror(failure)), fix: "raise the limit of threads")
        }
    }

    deinit { close(socket) }

    /// Milliseconds for one address.
    private static let patience: Int32 = 10_000

    private func serve() {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(THEATRE_DIAL_NAME)) { name in
            guard let start = name.baseAddress else { return }
            var port: UInt16 = 0
            while true {
                switch theatre_dial_next(socket, start, &port) {
                case 0: return
                case 1: answer(String(cString: start), port)
                default: theatre_dial_answer(socket, -1, EINVAL)
                }
            }
        }
    }

    private func answer(_ name: String, _ port: UInt16) {
        let peer = SandboxPlan.Peer(host: name.lowercased(), port: Int(port))
        guard Self.allows(peer, peers) else {
            logger.warning(
                "an instance asked for a connection it was not granted",
                metadata: ["instance": "\(instance)", "peer": "\(peer)"])
            return theatre_dial_answer(socket, -1, EACCES)
        }
        let made = theatre_dial_connect(name, port, Self.patience)
        logger.info(
            "an instance was connected",
            metadata: ["instance": "\(instance)", "peer": "\(peer)", "error": "\(made < 0 ? -made : 0)"])
        theatre_dial_answer(socket, made < 0 ? -1 : made, made < 0 ? -made : 0)
    }

    /// Whether a server is among those granted: by name or address as written, or below `*.domain`.
    static func allows(_ peer: SandboxPlan.Peer, _ peers: [SandboxPlan.Peer]) -> Bool {
        peers.contains { grant in
            guard grant.port == peer.port else { return false }
            return grant.host.hasPrefix("*.") ? peer.host.hasSuffix(grant.host.dropFirst()) : grant.host == peer.host
        }
    }
}
