// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import Runtime
import ServiceLifecycle
import SwiftProtobuf
import TheatreContracts
import TheatreManifest

/// Follows `session.revoked` in the event log, so that the gateway refuses a session's tokens at once and not when they
/// lapse; after a restart too, since it reads the log from its beginning.
struct SessionRevocations: Service {
    let dispatcher: Dispatcher
    /// Instance that keeps the log.
    let storage: String
    /// Older ones do not matter: their access tokens have lapsed. Milliseconds.
    let memory: Int64 = 3_600_000
    let logger: Logger
    let revoke: @Sendable (String) -> Void

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
                logger.warning("revoked sessions cannot be read", metadata: ["error": "\(error)"])
                do { try await Task.sleep(for: .seconds(1)) } catch { return }
            }
        }
    }

    /// One page; where to go on.
    private func read(after: Int64) async throws(CallError) -> Int64 {
        let request = EventsReadRequest.with {
            $0.after = after
            $0.types = ["session.revoked"]
            $0.limit = 500
            $0.waitMs = 20_000
        }
        let page: EventsReadResponse = try await dispatcher.call(
            instance: storage, operation: "theatre.events.v1.Log/Read", request: request, timeout: .seconds(25))
        let oldest = Int64(dispatcher.clock.wall() / 1_000_000) - memory
        for event in page.events where event.at > oldest {
            let data = try? JSONValue(json: Data(event.data.utf8))
            if let session = data?["session_id"]?.string { revoke(session) }
        }
        return max(page.head, after)
    }
}
