// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin

/// A notification channel to other systems: payloads signed as Standard Webhooks.
///
/// A message that does not arrive now, and may later, becomes a job: it is sent again until it arrives or is not worth it
/// any more, also by a host that was started since.
final class Webhook: Plugin, NotificationChannelContract, JobsWorkerContract {
    static var operations: [Operation<Webhook>] { notificationChannelOperations + jobsWorkerOperations }

    private let host: PluginHost
    private let configuration: WebhookConfiguration
    private let hasPreviousKey = Atomic(false)

    init(_ host: PluginHost, _ configuration: WebhookConfiguration) throws {
        self.host = host
        self.configuration = configuration
        guard configuration.url.isEmpty || WebhookConfiguration.isEndpoint(configuration.url) else {
            throw PluginError.invalid("/url", "webhook.bad_url", "The url is no http or https URL; correct it.")
        }
    }

    /// Finds out whether a key of before is granted, which then signs too.
    func activate() async throws {
        do {
            _ = try await mac("webhook_previous", Data(), host)
            hasPreviousKey.store(true, ordering: .releasing)
        } catch let error as PluginError where error.reason == "keys.not_granted" {
            host.log.debug("one key signs", [:])
        }
    }

    func selfTest() async throws { _ = try await mac("webhook", Data(), host) }

    func send(_ request: NotificationSendRequest, _ call: Call) async throws -> NotificationDelivery {
        let now = host.now
        do {
            return try await deliver(request, since: now, call)
        } catch let error as PluginError where WebhookError.mayPass(error) {
            guard let delivery = await Redelivery(call).keep(request, after: error, at: now) else { throw error }
            return delivery
        }
    }

    // MARK: theatre.jobs.v1.Worker

    /// Sends a message again that did not arrive; what it fails with says whether there will be another attempt.
    func run(_ request: JobsRunRequest, _ call: Call) async throws -> JobsRunResponse {
        let message: NotificationSendRequest = try request.job.decode()
        _ = try await deliver(message, since: request.job.enqueuedAt, call)
        return JobsRunResponse()
    }

    /// One attempt for a message that was sent first at `since`.
    private func deliver(
        _ request: NotificationSendRequest, since: Int64, _ call: Call
    ) async throws -> NotificationDelivery {
        let url = request.address.isEmpty ? configuration.url : request.address
        guard WebhookConfiguration.isEndpoint(url) else { throw WebhookError.noURL }
        let now = host.now
        let payload = try WebhookPayload(request, at: since)
        guard request.validUntil == 0 || request.validUntil > now else { throw WebhookError.expired }
        let fetch = try await signed(payload, url, now, call)
        let answer: HostFetchResponse
        do {
            answer = try await HostEgressClient(call).fetch(fetch)
        } catch let error as PluginError {
            throw WebhookError.transport(error)
        }
        try Self.judge(answer, now: host.now)
        return .with {
            $0.providerReference = payload.id
            $0.at = host.now
        }
    }

    /// Sends nothing: a URL that could be one, and a key that signs, are what can be known.
    func check(_ request: NotificationCheckRequest, _ call: Call) async throws -> NotificationCheckResponse {
        guard !configuration.url.isEmpty else {
            return .with { $0.message = "There is no url; only messages with an address of their own can be sent." }
        }
        do {
            _ = try await mac("webhook", Data(), call)
            return .with { $0.ok = true }
        } catch let error as PluginError {
            return .with { $0.message = error.message }
        }
    }

    private func signed(
        _ payload: WebhookPayload, _ url: String, _ now: Int64, _ call: Call
    ) async throws -> HostFetchRequest {
        let timestamp = now / 1000
        let content = payload.signedContent(timestamp: timestamp)
        var signatures: [String] = []
        do {
            signatures.append("v1,\(try await mac("webhook", content, call).base64EncodedString())")
            if hasPreviousKey.load(ordering: .acquiring) {
                signatures.append("v1,\(try await mac("webhook_previous", content, call).base64EncodedString())")
            }
        } catch let error as PluginError where error.code != .cancelled {
            throw WebhookError.misconfigured(error.message)
        }
        let fields = [
            ("content-type", "application/json"), ("user-agent", "TheatreOS-Webhook/0.1"), ("webhook-id", payload.id),
            ("webhook-timestamp", "\(timestamp)"), ("webhook-signature", signatures.joined(separator: " ")),
        ]
        return .with {
            $0.method = "POST"
            $0.url = url
            $0.addHeaders(fields)
            $0.body = payload.body
            $0.timeoutMs = configuration.timeoutMilliseconds
            $0.maxResponseBytes = 1 << 20
        }
    }

    private func mac(_ key: String, _ data: Data, _ scope: some CallScope) async throws -> Data {
        let request = HostMacRequest.with {
            $0.key = key
            $0.data = data
        }
        return try await HostKeysClient(scope).mac(request).mac
    }

    /// Returns where the endpoint took the message.
    private static func judge(_ answer: HostFetchResponse, now: Int64) throws {
        switch answer.status {
        case 200...299: return
        case 410: throw WebhookError.dead
        case 429, 502, 503, 504:
            let field = answer.headers.first { $0.name.lowercased() == "retry-after" }
            let wait = field.flatMap { RetryAfter.milliseconds($0.value, now: now) }
            throw WebhookError.throttled(answer.status, milliseconds: wait)
        case 300...499: throw WebhookError.rejected(answer.status)
        default: throw WebhookError.uncertain("the endpoint answered \(answer.status).")
        }
    }
}
