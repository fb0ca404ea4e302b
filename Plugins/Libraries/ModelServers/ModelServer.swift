// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
public import TheatreContracts
public import TheatrePlugin

/// Requests to a model server through the host's egress.
public struct ModelServer: Sendable {
    /// What an answer that is no success means.
    private let refusal: @Sendable (HostFetchResponse, RetryHint) -> PluginError

    /// A server whose refusals are read by `refusal`.
    public init(refusal: @escaping @Sendable (HostFetchResponse, RetryHint) -> PluginError) { self.refusal = refusal }

    /// One exchange; throws where the answer is not 200.
    public func fetch(_ request: HostFetchRequest, _ call: Call) async throws -> HostFetchResponse {
        let answer: HostFetchResponse
        do {
            answer = try await HostEgressClient(call).fetch(request)
        } catch let error as PluginError {
            throw ContentError.transport(error)
        }
        guard answer.status == 200 else { throw refused(answer, call) }
        return answer
    }

    /// Sends an answer on as it comes. The last part has the usage, also where the stream breaks off once the server had
    /// taken the request, be it before the first word: what was read and what came is paid for.
    public func stream<Answer: StreamedAnswer>(
        _ fetch: HostFetchRequest, _ answer: Answer, for request: ContentChatRequest, _ call: Call,
        _ output: MessageSink<ContentChatPart>
    ) async throws {
        var reading = StreamReading(answer)
        var hasBegun = false
        do {
            try await read(fetch, &reading, &hasBegun, call, output)
        } catch {
            guard reading.isAccepted, !(error is CancellationError) else { throw error }
            try await output.send(
                .with {
                    if !hasBegun { $0.model = reading.answer.model }
                    $0.usage = reading.usage(request)
                })
            throw error
        }
        try await output.send(
            .with {
                if !hasBegun { $0.model = reading.answer.model }
                $0.finishReason = reading.answer.finishReason
                $0.usage = reading.usage(request)
            })
    }

    /// Sends what comes, and returns at the answer's end; throws where it has none.
    private func read<Answer: StreamedAnswer>(
        _ fetch: HostFetchRequest, _ reading: inout StreamReading<Answer>, _ hasBegun: inout Bool, _ call: Call,
        _ output: MessageSink<ContentChatPart>
    ) async throws {
        var head: HostFetchResponse?
        do {
            for try await part in try await HostEgressClient(call).fetchStream(fetch) {
                switch part.part {
                case .head(let response):
                    head = response
                    reading.isAccepted = response.status == 200
                case .data(let data) where head?.status == 200:
                    for var part in reading.push(data) {
                        if !hasBegun { part.model = reading.answer.model }
                        try await output.send(part)
                        hasBegun = true
                    }
                    if let failure = reading.failure { throw failure }
                    if reading.answer.isDone { return }
                case .data(let data):
                    guard (head?.body.count ?? 0) < 64 << 10 else { continue }
                    head?.body.append(data)
                case nil: continue
                }
            }
        } catch let error as PluginError where error.reason.hasPrefix("egress.") {
            throw reading.isAccepted ? ContentError.brokenOff(error) : ContentError.transport(error)
        }
        guard let head else { throw ContentError.broken() }
        guard head.status == 200 else { throw refused(head, call) }
        guard reading.answer.finishReason != .unspecified else { throw ContentError.broken() }
    }

    func refused(_ answer: HostFetchResponse, _ call: Call) -> PluginError {
        refusal(answer, RetryHint(answer.headers, now: call.host.now))
    }
}
