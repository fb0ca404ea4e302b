// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Registry
internal import Runtime

/// Watches a server for as long as an instance of it runs: by what it tells of itself, and by looking.
struct HealthMonitor: Sendable {
    private let link: RemoteLink

    init(_ link: RemoteLink) { self.link = link }

    /// Returns once the server is lost or the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await watch() }
            group.addTask { await lookNowAndThen() }
        }
    }

    private func lookNowAndThen() async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: .seconds(link.remote.probeSeconds)) } catch { return }
            await look()
        }
    }

    /// False where it is lost.
    @discardableResult
    private func look() async -> Bool {
        let heard = link.heardCount
        let found = await link.look()
        guard !Task.isCancelled else { return false }
        switch found {
        case .away(let cause):
            link.lost(cause)
            return false
        case .late:
            // A server that is only busy still sends something, if not this answer.
            guard link.heardCount == heard else { return true }
            link.lost("no answer within \(link.remote.connectSeconds) s")
            return false
        case .notServing: link.setServing(false)
        case .serving, .silent, .unknownService: link.setServing(true)
        }
        return true
    }

    /// Hears at once of a server that goes, and of one that does not want to serve.
    private func watch() async {
        while !Task.isCancelled {
            guard await hear(), await look() else { return }
            // It ended the stream and still answers, as one that moves to another connection does.
            do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
        }
    }

    /// False where the server has nothing to tell.
    private func hear() async -> Bool {
        var options = CallOptions.defaults
        options.waitForReady = false
        do {
            return try await link.transport.withStream(descriptor: Health.watch, options: options) { stream, _ in
                try await stream.outbound.write(.metadata([:]))
                try await stream.outbound.write(.message(GRPCNIOTransportBytes(Health.request(""))))
                await stream.outbound.finish()
                for try await part in stream.inbound {
                    switch part {
                    case .metadata: continue
                    case .message(let bytes):
                        link.heard()
                        let serving = Health.serving(in: bytes.withUnsafeBytes { Array($0) })
                        link.setServing(serving != .notServing)
                    case .status(let status, _): return status.code != .unimplemented
                    }
                }
                return true
            }
        } catch {
            return true
        }
    }
}
