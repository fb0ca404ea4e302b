// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import TheatreContracts
internal import TheatrePlugin

/// What every provider does that sends a person to an authorization server.
public enum OAuthSuite {
    /// The cases; each wants a fresh subject.
    public static let cases: [SuiteCase<OAuthSubject>] = signIns + answers + tokens

    private static let signIns: [SuiteCase<OAuthSubject>] = [
        SuiteCase("aPersonIsTheSameSubjectEachTime") { subject in
            let first = try await subject.verify(subject.begin("li").request())
            let again = try await subject.verify(subject.begin("li").request())
            let other = try await subject.verify(subject.begin("zhang").request())
            try demand(!first.isEmpty && first == again, "One person is \"\(first)\", and then \"\(again)\".")
            try demand(other != first, "Two persons are one subject.")
        },
        SuiteCase("aCodeIsTakenOnce") { subject in
            let first = try await subject.begin()
            _ = try await subject.verify(first.request())
            let second = try await subject.begin()
            try await subject.isRefused("A code that was used", second.request { $0.secret = first.answer.code })
        },
        SuiteCase("aChallengeEndsOnce") { subject in
            let begun = try await subject.begin()
            try await subject.isRefused("An empty code", begun.request { $0.secret = "" })
            try await subject.isRefused("A challenge that ended in a refusal", begun.request())
            let second = try await subject.begin()
            _ = try await subject.verify(second.request())
            let third = try await subject.begin()
            try await subject.isRefused(
                "A challenge that ended", third.request { $0.challenge = second.challenge })
            try await subject.isRefused("No challenge", subject.begin().request { $0.challenge = "" })
        },
        SuiteCase("aChallengeLapses") { subject in
            let begun = try await subject.begin()
            subject.advance(UInt64(begun.expiresIn) * 1000 + 1)
            try await subject.isRefused("A challenge that had lapsed", begun.request())
        },
        SuiteCase("aTenantEndsItsOwnSignInsOnly") { subject in
            let begun = try await subject.begin(tenant: "one")
            try await subject.isRefused("A challenge of another tenant", begun.request(), tenant: "two")
            _ = try await success("A tenant ended another's sign-in") { try await subject.verify(begun.request()) }
        },
        SuiteCase("aSignInReturnsOnlyToWhereItMay") { subject in
            let error = try await refusal("A return to anywhere") {
                try await subject.client("one").start(.with { $0.redirectUri = "https://thief.example/callback" })
            }
            try demand(
                error.code == .invalidArgument && error.detail == "/redirect_uri",
                "A return to anywhere is \(error.reason) at \"\(error.detail)\", not INVALID_ARGUMENT at /redirect_uri.")
        },
    ]

    private static let answers: [SuiteCase<OAuthSubject>] = [
        SuiteCase("anotherStateIsRefused") { subject in
            for state in ["", "a-state-of-another", "a-state-of-the-calle"] {
                let begun = try await subject.begin()
                try demand(
                    begun.answer.state == "a-state-of-the-caller", "The caller's state came back as another.")
                try await subject.isRefused("Another state", begun.request { $0.state = state })
            }
        },
        SuiteCase("anAnswerOfAnotherIssuerIsRefused") { subject in
            let begun = try await subject.begin()
            try await subject.isRefused(
                "An answer of another issuer", begun.request { $0.issuer = "https://thief.example" })
            guard !begun.answer.issuer.isEmpty else { return }
            let second = try await subject.begin()
            try await subject.isRefused("An answer of nobody", second.request { $0.issuer = "" })
        },
        SuiteCase("aCodeBelongsToItsSignIn") { subject in
            guard subject.bindsCodes else { return }
            let thief = try await subject.begin("thief")
            let victim = try await subject.begin("li")
            try await subject.isRefused(
                "A code of another sign-in", victim.request { $0.secret = thief.answer.code })
        },
        SuiteCase("refusalsAreAlikeAndRepeatNothing") { subject in
            var errors: Set<PluginError> = []
            let canary = "c4n4ry-c4n4ry-c4n4ry"
            errors.insert(
                try await subject.isRefused("A made-up code", subject.begin().request { $0.secret = canary }))
            errors.insert(
                try await subject.isRefused("A made-up challenge", subject.begin().request { $0.challenge = canary }))
            errors.insert(
                try await subject.isRefused("A made-up state", subject.begin().request { $0.state = canary }))
            try demand(!"\(errors)".contains("c4n4ry"), "A refusal repeats what was sent.")
            try demand(errors.count == 1, "Refusals can be told apart: \(errors.map(\.message)).")
        },
    ]

    private static let tokens: [SuiteCase<OAuthSubject>] = [
        SuiteCase("flawedIdentityTokensAreRefused") { subject in
            for flaw in IdentityTokenFlaw.allCases where subject.flaw(flaw) {
                let begun = try await subject.begin()
                try await subject.isRefused("An identity token with the flaw \(flaw)", begun.request())
            }
            _ = try await success("A sound token after the flawed ones was refused") {
                try await subject.verify(subject.begin().request())
            }
        },
        SuiteCase("keysMayRotate") { subject in
            _ = try await subject.verify(subject.begin().request())
            guard subject.rotate() else { return }
            // Nobody has to ask for the keys more often than this.
            subject.advance(90_000)
            _ = try await success("A token of a new key, published, was refused") {
                try await subject.verify(subject.begin().request())
            }
        },
    ]
}
