// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Where identities come from: what proves them, and through which feature of the manifest.
enum IdentityProvider: String, CaseIterable, Sendable {
    case password, device, phone, email, wechat, apple, oidc

    /// Nil for what is proved here: a guest's device.
    var feature: String? {
        switch self {
        case .device: nil
        case .password: "accounts.password"
        case .phone: "accounts.phone"
        case .email: "accounts.email"
        case .wechat: "accounts.wechat"
        case .apple: "accounts.apple"
        case .oidc: "accounts.oidc"
        }
    }

    var sendsCodes: Bool { self == .phone || self == .email }
    var isElsewhere: Bool { self == .wechat || self == .apple || self == .oidc }

    /// The provider of a name, where this deployment has it.
    static func find(_ name: String, _ call: Call, where fits: (IdentityProvider) -> Bool = { _ in true }) throws
        -> IdentityProvider
    {
        guard let provider = IdentityProvider(rawValue: name), fits(provider),
            provider.feature.map({ !call.host.environment.unrouted.contains($0) }) ?? true
        else { throw AccountsError.noProvider() }
        return provider
    }

    /// What calls it.
    func client(_ call: Call) throws -> AuthProviderClient {
        guard let feature else { throw AccountsError.noProvider() }
        return AuthProviderClient(call, feature: feature)
    }
}

/// An identity that was proved.
struct ProvedIdentity: Sendable, Hashable {
    let provider: IdentityProvider
    /// Stable within the provider.
    let subject: String
    /// An address the provider vouches for.
    var email: EmailAddress?

    /// A guest's device, by the digest of its secret.
    init(device secret: String) throws {
        guard secret.utf8.count >= 43, secret.utf8.count <= 200 else { throw AccountsError.deviceSecret() }
        provider = .device
        subject = Base64URL.encode(Digest.sha256("theatre.device.v1\n\(secret)".utf8))
    }

    init(_ provider: IdentityProvider, _ response: AuthVerifyResponse) {
        self.provider = provider
        subject = response.subject
        if response.claims["email_verified"] == "true" { email = response.claims["email"].flatMap(EmailAddress.init) }
    }

    init(_ provider: IdentityProvider, subject: String) {
        self.provider = provider
        self.subject = subject
    }

    /// Names it to its owner without saying its subject.
    var id: String {
        "idn_" + Base64URL.encode(Digest.sha256("\(provider.rawValue)\n\(subject)".utf8))
    }

    /// Asks the provider. UNAUTHENTICATED `accounts.refused` for whatever is wrong with a proof.
    static func prove(
        _ provider: IdentityProvider, _ proof: AuthVerifyRequest, _ call: Call
    ) async throws -> ProvedIdentity {
        if provider == .device { return try ProvedIdentity(device: proof.secret) }
        do {
            let response = try await provider.client(call).verify(proof)
            guard !response.subject.isEmpty else { throw AccountsError.refused() }
            return ProvedIdentity(provider, response)
        } catch let error as PluginError where error.code == .unauthenticated || error.code == .invalidArgument {
            throw AccountsError.refused()
        }
    }
}
