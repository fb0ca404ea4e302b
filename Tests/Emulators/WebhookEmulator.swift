// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import Synchronization

/// A receiver of Standard Webhooks: verifies as the reference libraries do, keeps each id once, and has scripted faults.
public final class WebhookEmulator: Sendable {
    /// A payload that was verified.
    public struct Delivery: Sendable, Hashable {
        /// `webhook-id`.
        public var id: String
        /// `webhook-timestamp`, in seconds.
        public var timestamp: Int64
        /// How many signatures came.
        public var signatures: Int
        /// As sent.
        public var body: String
    }

    /// What one delivery meets instead of 204.
    public enum Fault: Sendable {
        /// A status with headers; nothing is kept.
        case status(Int, [(String, String)])
        /// Kept, and the answer comes late.
        case late(milliseconds: Int64)
        /// The connection is cut, after the payload was kept where `kept`.
        case cut(kept: Bool)
    }

    private struct State {
        var faults: [Fault] = []
        var deliveries: [Delivery] = []
        var repeats = 0
        var requests = 0
    }

    private let key: SymmetricKey
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())

    /// A receiver.
    ///
    /// - Parameters:
    ///   - secret: the key's bytes, without `whsec_` and base64.
    ///   - now: seconds since 1970.
    public init(secret: [UInt8], now: @escaping @Sendable () -> Int64) {
        key = SymmetricKey(data: secret)
        self.now = now
    }

    /// Queues faults, one for each verified request to come.
    public func script(_ faults: Fault...) { state.withLock { $0.faults += faults } }
    /// What was kept, each id once.
    public var deliveries: [Delivery] { state.withLock { $0.deliveries } }
    /// Verified requests whose id was known.
    public var repeats: Int { state.withLock { $0.repeats } }
    /// How many requests came.
    public var requests: Int { state.withLock { $0.requests } }

    /// A server in front of it.
    public func serve() throws -> EmulatorServer {
        try EmulatorServer { request, exchange in exchange.give(self.respond(to: request)) }
    }

    /// The answer to a request.
    public func respond(to request: EmulatorRequest) -> EmulatorAnswer {
        state.withLock { $0.requests += 1 }
        guard request.method == "POST" else { return EmulatorAnswer(405, [("allow", "POST")], "") }
        let delivery: Delivery
        do { delivery = try verified(request) } catch { return EmulatorAnswer(401, [], "\(error.text)\n") }
        switch state.withLock({ $0.faults.isEmpty ? nil : $0.faults.removeFirst() }) {
        case nil: return keep(delivery)
        case .status(let status, let headers): return EmulatorAnswer(status, headers, "")
        case .late(let milliseconds):
            var answer = keep(delivery)
            answer.delay = milliseconds
            return answer
        case .cut(let kept):
            if kept { _ = keep(delivery) }
            return .cut
        }
    }

    private func keep(_ delivery: Delivery) -> EmulatorAnswer {
        state.withLock { state in
            if state.deliveries.contains(where: { $0.id == delivery.id }) {
                state.repeats += 1
            } else {
                state.deliveries.append(delivery)
            }
        }
        return EmulatorAnswer(204, [], "")
    }

    private struct Refusal: Error { var text: String }

    private func verified(_ request: EmulatorRequest) throws(Refusal) -> Delivery {
        guard let id = request.field("webhook-id"), !id.isEmpty,
            let time = request.field("webhook-timestamp"),
            let list = request.field("webhook-signature")
        else { throw Refusal(text: "missing required headers") }
        guard !id.contains(".") else { throw Refusal(text: "an id has no dot") }
        guard let timestamp = Int64(time) else { throw Refusal(text: "invalid timestamp") }
        guard timestamp >= now() - 300 else { throw Refusal(text: "message timestamp too old") }
        guard timestamp <= now() + 300 else { throw Refusal(text: "message timestamp too new") }
        let signed = Array("\(id).\(time).".utf8) + request.body
        let signatures = list.split(separator: " ")
        let isSigned = signatures.contains { signature in
            guard signature.hasPrefix("v1,"), let code = Data(base64Encoded: String(signature.dropFirst(3))) else {
                return false
            }
            return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: signed, using: key)
        }
        guard isSigned else { throw Refusal(text: "no matching signature found") }
        return Delivery(
            id: id, timestamp: timestamp, signatures: signatures.count,
            body: String(decoding: request.body, as: UTF8.self))
    }
}
