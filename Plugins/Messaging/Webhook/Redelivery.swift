// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Messages that did not arrive, as jobs of this instance.
struct Redelivery {
    /// The feature that leads to the jobs' store; without it whoever sends has to send again.
    static let feature = "webhook.queue"
    /// The queue of the manifest.
    static let queue = "deliveries"
    /// When an endpoint that says no time is asked again first, in milliseconds.
    static let pause: UInt64 = 5000

    private let call: Call

    init(_ call: Call) { self.call = call }

    /// Stores a message to be sent again; nil where that cannot be, or it would be too late by then.
    ///
    /// One that waits already is not stored a second time.
    func keep(
        _ request: NotificationSendRequest, after error: PluginError, at now: Int64
    ) async -> NotificationDelivery? {
        guard !call.host.environment.unrouted.contains(Self.feature) else { return nil }
        let pause = if case .after(let milliseconds) = error.retry { milliseconds } else { Self.pause }
        let next = now + Int64(clamping: pause)
        guard request.validUntil == 0 || request.validUntil > next else { return nil }
        do {
            let key = Hex.encode(Digest.sha256("\(request.messageID) \(request.address)".utf8))
            let job = try JobsNewJob(
                Self.queue, kind: "delivery", payload: request, runAt: next, uniqueKey: key)
            let stored = try await JobsQueueClient(call, feature: Self.feature).enqueue(.with { $0.jobs = [job] })
            call.host.log.notice(
                "a message is sent again later",
                [
                    "message": request.messageID, "job": stored.jobIds.first ?? "", "reason": error.reason,
                    "error": error.message,
                ])
            return .with {
                $0.providerReference = stored.jobIds.first ?? ""
                $0.at = now
            }
        } catch {
            call.host.log.warning(
                "a message could not be kept to be sent again", ["message": request.messageID, "error": "\(error)"])
            return nil
        }
    }
}
