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

    func enroll(
        _ secret: String, replace: Bool = false, tenant: String = "one", identifier other: String? = nil
    ) async throws -> String {
        try await client(tenant).enroll(
            .with {
                $0.identifier = other ?? identifier
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
        try demand(secret.isEmpty || !"\(error)".contains(secret), "The refusal of a proof repeats the secret.")
        return error
    }

    /// The shortest of some refusals: what the work takes, and not what the machine was busy with.
    func shortestRefusal(_ identifier: String) async throws -> Duration {
        var shortest = Duration.seconds(3600)
        for _ in 0..<3 {
            let clock = ContinuousClock()
            let start = clock.now
            _ = try await isRefused(identifier, secret + "x")
            shortest = min(shortest, clock.now - start)
        }
        return shortest
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
        SuiteCase("wrongProofsAreRefusedInTheSameTime") { subject in
            _ = try await subject.enroll(subject.secret)
            let known = try await subject.shortestRefusal(subject.identifier)
            let unknown = try await subject.shortestRefusal("nobody-" + subject.identifier)
            let (less, more) = (min(known, unknown), max(known, unknown))
            try demand(
                more < less * 4 || more - less < .milliseconds(50),
                "A wrong proof takes \(known) where there is a credential and \(unknown) where there is none.")
        },
        SuiteCase("aSecretIsComparedAsAWhole") { subject in
            let secret = String(repeating: "a-lantern-at-the-bridge-", count: 4)
            _ = try await subject.enroll(secret)
            for other in [secret.dropLast() + "+", "A" + secret.dropFirst(), secret.dropLast(1)] {
                _ = try await subject.isRefused(subject.identifier, String(other))
            }
            _ = try await subject.verify(subject.identifier, secret)
        },
        SuiteCase("aTenantKnowsOnlyItsOwn") { subject in
            let enrolled = try await subject.enroll(subject.secret, tenant: "one")
            _ = try await subject.isRefused(subject.identifier, subject.secret, tenant: "two")
            do { _ = try await subject.client("two").remove(.with { $0.subject = enrolled }) } catch is PluginError {}
            _ = try await success("A tenant removed another's credential") {
                try await subject.verify(subject.identifier, subject.secret)
            }
        },
        SuiteCase("aCredentialIsReplacedOnlyWhereThatIsAsked") { subject in
            let first = try await subject.enroll(subject.secret)
            let error = try await refusal("A second credential") { try await subject.enroll("another good secret 1") }
            try demand(
                error.code == .alreadyExists && error.reason == "auth.exists",
                "A second credential is \(error.reason), not auth.exists.")
            _ = try await success("What was refused replaced the credential") {
                try await subject.verify(subject.identifier, subject.secret)
            }
            let second = try await subject.enroll("another good secret 1", replace: true)
            try demand(second == first, "A new secret made \(first) another subject, \(second).")
            _ = try await subject.isRefused(subject.identifier, subject.secret)
            let verified = try await subject.verify(subject.identifier, "another good secret 1")
            try demand(verified == first, "\(first) got another secret and \(verified) verified.")
        },
        SuiteCase("whatIsRemovedIsForgotten") { subject in
            let enrolled = try await subject.enroll(subject.secret)
            let other = "another-" + subject.identifier
            _ = try await subject.enroll(subject.secret, identifier: other)
            _ = try await subject.client("one").remove(.with { $0.subject = enrolled })
            _ = try await subject.isRefused(subject.identifier, subject.secret)
            _ = try await success("Another subject was forgotten too") {
                try await subject.verify(other, subject.secret)
            }
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
