// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
public import TheatreContracts
public import TheatrePlugin

/// A provider of `theatre.auth.v1.Provider` that stores credentials: kind `password`.
public struct AuthSubject: Sendable {
    /// Calls of the provider in a tenant.
    public var client: @Sendable (_ tenant: String) -> AuthProviderClient
    /// An identifier of the provider's kind.
    public var identifier: String
    /// A secret that is strong enough.
    public var secret: String

    /// A provider to be tested.
    public init(
        identifier: String = "li@example.org", secret: String = "州桥夜市的灯火三更未歇",
        client: @escaping @Sendable (_ tenant: String) -> AuthProviderClient
    ) {
        self.client = client
        self.identifier = identifier
        self.secret = secret
    }

    func enroll(_ secret: String, replace: Bool = false, tenant: String = "one") async throws -> String {
        try await client(tenant).enroll(
            .with {
                $0.identifier = identifier
                $0.secret = secret
                $0.replace = replace
            }
        ).subject
    }

    func verify(_ identifier: String, _ secret: String, tenant: String = "one") async throws -> String {
        try await client(tenant).verify(
            .with {
                $0.identifier = identifier
                $0.secret = secret
            }
        ).subject
    }

    func isRefused(_ identifier: String, _ secret: String, tenant: String = "one") async throws -> PluginError {
        let error = try await refusal("A wrong proof") { try await verify(identifier, secret, tenant: tenant) }
        try demand(
            error.code == .unauthenticated && error.reason == "auth.refused",
            "A wrong proof is \(error.code) \(error.reason), not UNAUTHENTICATED auth.refused.")
        return error
    }
}

/// What every provider of stored credentials does.
public enum AuthSuite {
    /// The cases; each wants a fresh subject.
    public static let cases: [SuiteCase<AuthSubject>] = [
        SuiteCase("whatWasEnrolledVerifiesAsTheSameSubject") { subject in
            let enrolled = try await subject.enroll(subject.secret)
            try demand(!enrolled.isEmpty, "A credential has no subject.")
            let verified = try await subject.verify(subject.identifier, subject.secret)
            try demand(verified == enrolled, "\(enrolled) was enrolled and \(verified) verified.")
        },
        SuiteCase("wrongProofsAreRefusedAlike") { subject in
            _ = try await subject.enroll(subject.secret)
            var errors: Set<PluginError> = []
            errors.insert(try await subject.isRefused(subject.identifier, subject.secret + "x"))
            errors.insert(try await subject.isRefused("nobody-" + subject.identifier, subject.secret))
            errors.insert(try await subject.isRefused(subject.identifier, ""))
            try demand(errors.count == 1, "Wrong proofs can be told apart: \(errors.map(\.message)).")
        },
        SuiteCase("aTenantKnowsOnlyItsOwn") { subject in
            _ = try await subject.enroll(subject.secret, tenant: "one")
            _ = try await subject.isRefused(subject.identifier, subject.secret, tenant: "two")
        },
        SuiteCase("aCredentialIsReplacedOnlyWhereThatIsAsked") { subject in
            _ = try await subject.enroll(subject.secret)
            let error = try await refusal("A second credential") { try await subject.enroll("another good secret 1") }
            try demand(
                error.code == .alreadyExists && error.reason == "auth.exists",
                "A second credential is \(error.reason), not auth.exists.")
            _ = try await subject.enroll("another good secret 1", replace: true)
            _ = try await subject.isRefused(subject.identifier, subject.secret)
            _ = try await subject.verify(subject.identifier, "another good secret 1")
        },
        SuiteCase("whatIsRemovedIsForgotten") { subject in
            let enrolled = try await subject.enroll(subject.secret)
            _ = try await subject.client("one").remove(.with { $0.subject = enrolled })
            _ = try await subject.isRefused(subject.identifier, subject.secret)
        },
        SuiteCase("aWeakSecretIsRefusedAndNotRepeated") { subject in
            let error = try await refusal("A secret of one letter") { try await subject.enroll("q") }
            try demand(
                error.code == .invalidArgument && error.detail == "/secret",
                "A weak secret is \(error.reason) at \"\(error.detail)\", not INVALID_ARGUMENT at /secret.")
            let canary = String(repeating: "Z9canary", count: 700)
            do { _ = try await subject.enroll(canary) } catch let error as PluginError {
                try demand(!"\(error)".contains("canary"), "The error repeats the secret.")
            }
        },
    ]
}
