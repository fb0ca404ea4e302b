// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Registry
internal import Runtime

extension RemoteLink {
    /// What a look at the server found.
    enum Look: Sendable {
        case serving
        case notServing
        /// The server has no such service.
        case unknownService
        /// The server tells nothing of its health, but it answers.
        case silent
        /// No answer in time.
        case late
        /// Nobody answers, and why.
        case away(String)
    }

    /// Asks the server for its health.
    func look(at service: String = "") async -> Look {
        do {
            let (status, answer) = try await ask(Health.check, Health.request(service))
            switch status.code {
            case .ok: return Health.serving(in: answer) == .notServing ? .notServing : .serving
            case .notFound: return .unknownService
            case .unavailable: return .away(status.message.isEmpty ? "unavailable" : status.message)
            case .unauthenticated, .permissionDenied: return .away(status.message)
            default: return .silent
            }
        } catch is CancellationError {
            return .late
        } catch {
            return .away(Reach.words(error))
        }
    }

    /// One small call that has as long as a connection may take.
    private func ask(_ method: MethodDescriptor, _ request: [UInt8]) async throws -> (Status, [UInt8]) {
        try await withThrowingTaskGroup(of: (Status, [UInt8])?.self) { group in
            group.addTask { [self] in
                var options = CallOptions.defaults
                options.waitForReady = false
                return try await transport.withStream(descriptor: method, options: options) { stream, _ in
                    try await stream.outbound.write(.metadata([:]))
                    try await stream.outbound.write(.message(GRPCNIOTransportBytes(request)))
                    await stream.outbound.finish()
                    var answer: [UInt8] = []
                    for try await part in stream.inbound {
                        switch part {
                        case .metadata: continue
                        case .message(let bytes): answer = bytes.withUnsafeBytes { Array($0) }
                        case .status(let status, _): return (status, answer)
                        }
                    }
                    return (Status(code: .unavailable, message: "it ended the call without a status"), answer)
                }
            }
            group.addTask { [self] in
                try await Task.sleep(for: .seconds(remote.connectSeconds))
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let first else { throw CancellationError() }
            return first
        }
    }
}
