// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
public import TheatreContracts
public import TheatrePlugin

/// A probe under way: what was found, and how long the slowest request took.
public struct ProbeRun {
    /// What is answered.
    public var response = ContentProbeResponse()
    private let host: PluginHost
    private let limits: RateHeaders

    /// Tries, and answers also where that fails. Only where the caller gave up, or asked for what is no probe, there is an
    /// error.
    ///
    /// - Parameter capabilities: what a canary can be of.
    public static func run(
        _ request: ContentProbeRequest, of capabilities: Set<String>, _ call: Call, limits: RateHeaders,
        _ body: (inout ProbeRun) async throws -> Void
    ) async throws -> ContentProbeResponse {
        switch request.tier {
        case .configuration, .free: break
        case .canary where capabilities.contains(request.capability): break
        case .canary: throw ContentError.badProbe("/capability", "this provider does not have it")
        default: throw ContentError.badProbe("/tier", "name a tier")
        }
        var run = ProbeRun(host: call.host, limits: limits)
        do {
            try await body(&run)
            run.response.ok = true
        } catch let error as PluginError where error.code != .cancelled {
            run.response.errorClass = ContentErrorClass(error)
            run.response.reason = error.reason
            run.response.message = error.message
        }
        return run.response
    }

    private init(host: PluginHost, limits: RateHeaders) { (self.host, self.limits) = (host, limits) }

    /// One line of what shows that it can.
    public mutating func found(_ line: String) { response.evidence.append(line) }

    /// Sends one request of the probe.
    public mutating func timed(_ send: () async throws -> HostFetchResponse) async throws -> HostFetchResponse {
        let begin = host.monotonicNanoseconds
        // No server that is asked here says what is left to spend.
        response.balance.state = .unsupported
        defer {
            let milliseconds = (host.monotonicNanoseconds - begin + 999_999) / 1_000_000
            response.latencyMs = max(response.latencyMs, UInt32(clamping: milliseconds))
        }
        let answer = try await send()
        if let left = limits.left(answer.headers, now: host.now) { response.rateLeft = left }
        return answer
    }
}

extension ContentErrorClass {
    /// Who is to blame.
    public init(_ error: PluginError) {
        self =
            switch error.reason {
            case "content.misconfigured": .auth
            case "content.quota": .quota
            case "content.model_unknown": .client
            case "content.throttled": .rate
            case "content.timeout": .timeout
            case _ where error.code == .invalidArgument || error.code == .unimplemented: .client
            default: .server
            }
    }
}

extension ContentChatRequest {
    /// The smallest conversation that shows that a model answers.
    public static func canary(_ model: String) -> ContentChatRequest {
        .with {
            $0.model = model
            $0.maxTokens = 16
            $0.messages = [
                .with {
                    $0.role = .user
                    $0.text = "Answer with one word: ready"
                }
            ]
        }
    }
}
