// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
public import TheatreContracts
public import TheatrePlugin

/// A provider of `theatre.auth.v1.Provider` of kind `otp`, with a channel that keeps what it is given.
public struct CodeSubject: Sendable {
    /// Calls of the provider in a tenant.
    public var client: @Sendable (_ tenant: String) -> AuthProviderClient
    /// Two identifiers of the provider's kind, and what is none.
    public var identifiers: (first: String, second: String, malformed: String)
    /// Codes that were sent, oldest first.
    public var sent: @Sendable () -> [String]
    /// Moves the provider's clock.
    public var advance: @Sendable (_ milliseconds: UInt64) -> Void

    /// A provider to be tested.
    public init(
        identifiers: (first: String, second: String, malformed: String),
        client: @escaping @Sendable (_ tenant: String) -> AuthProviderClient,
        sent: @escaping @Sendable () -> [String],
        advance: @escaping @Sendable (_ milliseconds: UInt64) -> Void
    ) {
        self.client = client
        self.identifiers = identifiers
        self.sent = sent
        self.advance = advance
    }

    /// A code that was asked for and sent.
    struct Begun: Sendable {
        var identifier: String
        var start: AuthStartResponse
        var code: String
        /// A code that was not sent.
        var wrong: String { code.dropLast() + (code.hasSuffix("9") ? "0" : "9") }
    }

    func begin(_ identifier: String? = nil, tenant: String = "one") async throws -> Begun {
        let identifier = identifier ?? identifiers.first
        let before = sent().count
        let start = try await client(tenant).start(.with { $0.identifier = identifier })
        try demand(!start.challenge.isEmpty && start.expiresIn > 0, "A code has no challenge, or never lapses.")
        let codes = sent()
        guard codes.count == before + 1, let code = codes.last, code.count >= 6 else {
            throw SuiteFailure("One code of at least 6 figures was to be sent; \(codes.count - before) were.")
        }
        return Begun(identifier: identifier, start: start, code: code)
    }

    func verify(
        _ begun: Begun, _ code: String? = nil, as identifier: String? = nil, tenant: String = "one"
    ) async throws -> String {
        try await client(tenant).verify(
            .with {
                $0.identifier = identifier ?? begun.identifier
                $0.challenge = begun.start.challenge
                $0.secret = code ?? begun.code
            }
        ).subject
    }

    @discardableResult
    func isRefused(
        _ what: String, _ begun: Begun, _ code: String? = nil, as identifier: String? = nil, tenant: String = "one"
    ) async throws -> PluginError {
        let error = try await refusal(what) { try await verify(begun, code, as: identifier, tenant: tenant) }
        try demand(
            error.code == .unauthenticated && error.reason == "auth.refused",
            "\(what) is \(error.code) \(error.reason), not UNAUTHENTICATED auth.refused.")
        return error
    }

    /// Longer than the pause between two codes, and shorter than one counts.
    func pause() { advance(90_000) }
}

/// What every provider of one-time codes does.
public enum CodeSuite {
    /// The cases; each wants a fresh subject.
    public static let cases: [SuiteCase<CodeSubject>] = proofs + refusals

    private static let proofs: [SuiteCase<CodeSubject>] = [
        SuiteCase("theCodeThatWasSentProves") { subject in
            let first = try await subject.verify(subject.begin())
            subject.pause()
            let again = try await subject.verify(subject.begin())
            let other = try await subject.verify(subject.begin(subject.identifiers.second))
            try demand(!first.isEmpty && first == again, "One identifier is \"\(first)\", and then \"\(again)\".")
            try demand(other != first, "Two identifiers are one subject.")
        },
        SuiteCase("aCodeIsTakenOnce") { subject in
            let begun = try await subject.begin()
            _ = try await subject.verify(begun)
            try await subject.isRefused("A code that was used", begun)
        },
        SuiteCase("aCodeIsTakenOnceByManyAtOnce") { subject in
            let begun = try await subject.begin()
            let taken = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        do {
                            _ = try await subject.verify(begun)
                            return true
                        } catch { return false }
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            try demand(taken == 1, "One code was taken \(taken) times, not once.")
        },
        SuiteCase("aNewCodeTakesThePlaceOfTheLast") { subject in
            let first = try await subject.begin()
            subject.pause()
            let second = try await subject.begin()
            try await subject.isRefused("A code in whose place there is another", first)
            _ = try await subject.verify(second)
        },
        SuiteCase("whatIsRemovedIsForgotten") { subject in
            let first = try await subject.verify(subject.begin())
            _ = try await subject.client("one").remove(.with { $0.subject = first })
            subject.pause()
            let second = try await subject.verify(subject.begin())
            try demand(second != first, "An identifier that was forgotten is the subject of before.")
        },
    ]

    private static let refusals: [SuiteCase<CodeSubject>] = [
        SuiteCase("wrongCodesAreRefusedAlike") { subject in
            let begun = try await subject.begin()
            var errors: Set<PluginError> = []
            errors.insert(try await subject.isRefused("A wrong code", begun, begun.wrong))
            errors.insert(try await subject.isRefused("An empty code", begun, ""))
            errors.insert(try await subject.isRefused("An endless code", begun, String(repeating: "7", count: 5000)))
            var unknown = begun
            unknown.start.challenge = "a-challenge-of-nobody"
            errors.insert(try await subject.isRefused("A made-up challenge", unknown))
            try demand(errors.count == 1, "Refusals can be told apart: \(errors.map(\.message)).")
            _ = try await success("The right code after wrong ones was refused") { try await subject.verify(begun) }
        },
        SuiteCase("fiveGuessesAndNoMore") { subject in
            let begun = try await subject.begin()
            for _ in 0..<5 { try await subject.isRefused("A wrong code", begun, begun.wrong) }
            try await subject.isRefused("The right code after five guesses", begun)
        },
        SuiteCase("guessesAtOnceAreCounted") { subject in
            let begun = try await subject.begin()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask { do { _ = try await subject.verify(begun, begun.wrong) } catch {} }
                }
            }
            try await subject.isRefused("The right code after eight guesses at once", begun)
        },
        SuiteCase("aCodeLapses") { subject in
            let begun = try await subject.begin()
            subject.advance(UInt64(begun.start.expiresIn) * 1000 + 1)
            try await subject.isRefused("A code that had lapsed", begun)
        },
        SuiteCase("aCodeIsOfItsIdentifier") { subject in
            let begun = try await subject.begin()
            try await subject.isRefused("A code of another identifier", begun, as: subject.identifiers.second)
        },
        SuiteCase("aTenantKnowsOnlyItsOwn") { subject in
            let begun = try await subject.begin(tenant: "one")
            try await subject.isRefused("A code of another tenant", begun, tenant: "two")
            _ = try await success("A tenant used up another's code") { try await subject.verify(begun) }
        },
        SuiteCase("aMalformedIdentifierIsRefusedAtItsField") { subject in
            let before = subject.sent().count
            let error = try await refusal("A malformed identifier") {
                try await subject.begin(subject.identifiers.malformed)
            }
            try demand(
                error.code == .invalidArgument && error.detail == "/identifier",
                "A malformed identifier is \(error.reason) at \"\(error.detail)\", not INVALID_ARGUMENT at /identifier."
            )
            try demand(subject.sent().count == before, "A code was sent to a malformed identifier.")
        },
        SuiteCase("sendingIsBounded") { subject in
            let error = try await refusal("The thirtieth code for one identifier in a moment") {
                for _ in 0..<30 { _ = try await subject.begin() }
            }
            try demand(
                error.code == .resourceExhausted, "Too many codes are \(error.code) \(error.reason), not exhausted.")
            guard case .after(let milliseconds) = error.retry, milliseconds > 0 else {
                throw SuiteFailure("Too many codes, and it is not said after how long to try again.")
            }
            try demand(subject.sent().count < 30, "\(subject.sent().count) codes were sent in a moment.")
        },
    ]
}
