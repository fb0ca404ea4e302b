// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
public import TheatreContracts
import TheatreManifest
public import TheatrePlugin

/// What providers of one-time codes share: a code is random, kept as an HMAC of the host's, sent once, guessed at few times
/// and taken once.
public struct OneTimeCodes: Sendable {
    /// Whom a code proved.
    public struct Proof: Sendable {
        /// Who they are to callers.
        public var subject: String
        /// What was proved.
        public var identifier: String
    }

    /// Of the messages that carry codes.
    public static let category = "auth.code"

    private let host: PluginHost
    private let settings: CodeSettings
    private let storage: String
    private let channel: String
    private let prefix: String

    /// - Parameters:
    ///   - storage: the feature of the tables.
    ///   - channel: the feature of the channel.
    ///   - prefix: of subjects.
    public init(_ host: PluginHost, _ settings: CodeSettings, storage: String, channel: String, prefix: String) {
        self.host = host
        self.settings = settings
        self.storage = storage
        self.channel = channel
        self.prefix = prefix
    }

    /// Brings the tables up to date.
    public func migrate() async throws { try await CodeStore(host, feature: storage).migrate() }

    /// Sends a code, within the budgets. The answer is the same whether or not there is anybody.
    public func start(
        _ identifier: String, _ request: AuthStartRequest, price: PriceClass, region: String = "", _ call: Call
    ) async throws -> AuthStartResponse {
        let now = host.now
        let charges = Charge.all(
            settings, identifier: identifier, device: request.device, network: Self.network(request, call), price: price
        )
        try await BudgetStore(call, feature: storage).take(charges, tenant: call.tenant, at: now)
        let challenge = Self.random()
        let code = Self.code(settings.digits)
        let mac = try await HostKeysClient(call).mac(
            .with {
                $0.key = "codes"
                $0.data = Self.authenticated(challenge, identifier, code)
            }
        ).mac
        let expiry = now + settings.seconds * 1000
        let store = CodeStore(call, feature: storage)
        try await store.put(
            store.index(of: identifier, tenant: call.tenant), challenge: Self.digest(challenge), mac: Array(mac),
            until: expiry, at: now)
        let message = CodeMessage(code: code, seconds: settings.seconds, locale: request.locale)
        try await send(message, to: identifier, until: expiry, region, call)
        return .with {
            $0.challenge = challenge
            $0.expiresIn = UInt32(clamping: settings.seconds)
        }
    }

    /// Takes a guess.
    ///
    /// - Parameter identifier: whom the caller says it is of, as ``start(_:_:price:region:_:)`` had it; nil for what is
    ///   none, which proves nothing in the same words and with the same work.
    /// - Throws: UNAUTHENTICATED `auth.refused`.
    public func verify(_ request: AuthVerifyRequest, identifier: String?, _ call: Call) async throws -> Proof {
        let store = CodeStore(call, feature: storage)
        let index = try await store.index(of: identifier ?? "", tenant: call.tenant)
        let digest = Self.digest(request.challenge)
        let attempt = try await store.attempt(digest, tries: settings.tries, at: host.now)
        // The same work where there is nothing to compare with.
        let guess = request.secret.utf8.count <= 16 ? request.secret : ""
        let isRight = try await HostKeysClient(call).verifyMac(
            .with {
                $0.key = "codes"
                $0.data = Self.authenticated(request.challenge, identifier ?? "", guess)
                $0.mac = Data(attempt?.mac ?? [UInt8](repeating: 0, count: 32))
            }
        ).valid
        guard isRight, let identifier, attempt?.index == index,
            let subject = try await store.finish(digest, index: index, prefix: prefix, at: host.now)
        else { throw CodeError.refused() }
        return Proof(subject: subject, identifier: identifier)
    }

    /// Forgets a subject.
    public func remove(_ subject: String, _ call: Call) async throws {
        try await CodeStore(call, feature: storage).remove(subject)
    }

    private func send(
        _ message: CodeMessage, to identifier: String, until expiry: Int64, _ region: String, _ call: Call
    ) async throws {
        let request = NotificationSendRequest.with {
            $0.messageID = ULID.next(prefix: "code", at: host.now)
            $0.address = identifier
            $0.category = Self.category
            $0.title = message.title
            $0.body = message.body
            $0.data = message.data
            $0.validUntil = expiry
        }
        let attributes = HostRouteAttributes.with { $0.region = region }
        do {
            _ = try await NotificationChannelClient(call, feature: channel).send(
                request, CallOptions(attributes: attributes))
        } catch let error as PluginError {
            try judge(error)
        }
    }

    /// Returns where the caller must learn nothing, or the code may have arrived.
    private func judge(_ error: PluginError) throws {
        host.log.warning("a code was not delivered", ["error.reason": error.reason])
        guard error.effect == .none else { return }
        switch error.reason {
        // Whether there is anybody at an address is not for a stranger to learn.
        case "notification.address_dead": return
        case "notification.throttled":
            if case .after(let milliseconds) = error.retry {
                throw CodeError.throttled(milliseconds: Int64(clamping: milliseconds))
            }
            throw CodeError.throttled(milliseconds: 60_000)
        // The message is ours and is the same the next time: whoever configured the channel is to look at it.
        case "notification.misconfigured", "notification.rejected", "notification.missing", "notification.bad_data",
            "notification.bad_category", "notification.bad_title", "notification.too_long":
            throw CodeError.misconfigured(error.reason)
        default: throw CodeError.unreachable(error.reason)
        }
    }

    /// Where the request came from as the host saw it, which nobody on the way can say otherwise. A call that no request
    /// stands behind has its caller's word.
    private static func network(_ request: AuthStartRequest, _ call: Call) -> String {
        let seen = call.context.network
        return seen.isEmpty ? NetworkAddress(request.address)?.networkText ?? "" : seen
    }

    private static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return Hex.encode((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    private static func code(_ digits: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return String((0..<digits).map { _ in Character("\(Int.random(in: 0...9, using: &generator))") })
    }

    private static func digest(_ challenge: String) -> [UInt8] { Digest.sha256("code\n\(challenge)".utf8) }

    private static func authenticated(_ challenge: String, _ identifier: String, _ code: String) -> Data {
        Data("\(challenge)\n\(identifier)\n\(code)".utf8)
    }
}
