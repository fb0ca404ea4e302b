// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import Runtime
import ServiceLifecycle
import SwiftProtobuf
import TheatreContracts
import TheatreManifest

/// Follows in the event log what the gateway must know at once: `session.revoked`, so that a session's tokens are refused
/// now and not when they lapse, after a restart too, since the log is read from its beginning; and `access.changed`, so
/// that what somebody was to a project is asked for again.
struct GatewayEvents: Service {
    static let revoked = "session.revoked"
    static let changedRoles = "access.changed"
    let dispatcher: Dispatcher
    /// Instance that keeps the log.
    let storage: String
    /// Older ones do not matter: their access tokens have lapsed. Milliseconds.
    let memory: Int64 = 3_600_000
    let logger: Logger
    let revoke: @Sendable (String) -> Void
    let forgetStandings: @Sendable () -> Void

    func run() async throws {
        try await cancelWhenGracefulShutdown { await follow() }
    }

    private func follow() async {
        var after: Int64 = 0
        while !Task.isCancelled {
            do {
                after = try await read(after: after)
            } catch {
                guard !Task.isCancelled else { return }
                logger.warning("revoked sessions and changed roles cannot be read", metadata: ["error": "\(error)"])
                do { try await Task.sleep(for: .seconds(1)) } catch { return }
            }
        }
    }

    /// One page; where to go on.
    private func read(after: Int64) async throws(CallError) -> Int64 {
        let request = EventsReadRequest.with {
            $0.after = after
            $0.types = [Self.revoked, Self.changedRoles]
            $0.limit = 500
            $0.waitMs = 20_000
        }
        let page: EventsReadResponse = try await dispatcher.call(
            instance: storage, operation: "theatre.events.v1.Log/Read", request: request, timeout: .seconds(25))
        let oldest = Int64(dispatcher.clock.wall() / 1_000_000) - memory
        if page.events.contains(where: { $0.type == Self.changedRoles }) { forgetStandings() }
        for event in page.events where event.type == Self.revoked && event.at > oldest {
            let data = try? JSONValue(json: Data(event.data.utf8))
            if let session = data?["session_id"]?.string { revoke(session) }
        }
        return max(page.head, after)
    }
}
