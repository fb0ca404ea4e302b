// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// What a provider with an authorization server may do wrong.
enum OAuthFault: Sendable, Hashable {
    case namesEachProofAnew, namesAllAlike, takesCodesTwice, takesChallengesTwice, keepsChallengesAfterRefusals
    case neverLapses, mixesTenants, returnsAnywhere, ignoresState, comparesTheBeginningOfState, changesState
    case ignoresIssuers, ignoresMissingIssuers, ignoresWhoseCodeItIs, saysWhatIsWrong, repeatsWhatWasSent
    case takes(IdentityTokenFlaw), isOffendedByFlaws, keepsOldKeys
}

/// Sign-ins in memory, with a fault or none, and the authorization server beside them.
struct FaultyOAuth {
    let host = TestHost()
    private let fault: OAuthFault?
    private let store = Shared(Store())

    private struct Begun {
        var tenant: String
        var state: String
        var nonce: String
        var until: Int64
    }

    private struct Token {
        var person: String
        var nonce: String
        var key: Int
        var flaw: IdentityTokenFlaw?
    }

    private struct Store {
        var number = 0
        var begun: [String: Begun] = [:]
        var codes: [String: Token] = [:]
        var flaw: IdentityTokenFlaw?
        var isOffended = false
        /// Of the authorization server, and as the provider has it.
        var key = 0
        var knownKey = 0

        mutating func next(_ prefix: String) -> String {
            number += 1
            return "\(prefix)-\(number)"
        }
    }

    var subject: OAuthSubject {
        let (host, store, fault) = (host, store, fault)
        return OAuthSubject(
            redirectURI: "https://theatre.example/callback",
            client: { AuthProviderClient(host.scope(tenant: $0), feature: "auth") },
            advance: { host.advance(milliseconds: $0) },
            flaw: { flaw in
                store.with { $0.flaw = flaw }
                return true
            },
            rotate: {
                store.with { $0.key += 1 }
                return true
            }
        ) { url, person in
            let parts = url.split(separator: "|").map(String.init)
            return store.with { store in
                let code = store.next("code")
                store.codes[code] = Token(person: person, nonce: parts[2], key: store.key, flaw: store.flaw)
                store.flaw = nil
                let state = fault == .changesState ? parts[1].uppercased() : parts[1]
                return OAuthAnswer(code: code, state: state, issuer: "https://id.example")
            }
        }
    }

    init(_ fault: OAuthFault?) {
        self.fault = fault
        let (host, store) = (host, store)
        host.fake("auth", "Start") { (request: AuthStartRequest, call) in
            guard request.redirectUri == "https://theatre.example/callback" || fault == .returnsAnywhere else {
                throw PluginError(.invalidArgument, "auth.bad_redirect", "Not there.", detail: "/redirect_uri")
            }
            return store.with { store in
                let challenge = store.next("challenge")
                let nonce = store.next("nonce")
                store.begun[challenge] = Begun(
                    tenant: call.tenant, state: request.state, nonce: nonce, until: host.now + 600_000)
                return AuthStartResponse.with {
                    $0.challenge = challenge
                    $0.expiresIn = 600
                    $0.authorizeURL = "url|\(request.state)|\(nonce)"
                }
            }
        }
        host.fake("auth", "Verify") { (request: AuthVerifyRequest, call) in
            let now = host.now
            let result = store.with { store in Self.verify(request, call.tenant, now, &store, fault) }
            if let subject = result.subject { return AuthVerifyResponse.with { $0.subject = subject } }
            var message = "It does not count."
            if fault == .saysWhatIsWrong { message = result.what }
            if fault == .repeatsWhatWasSent { message = "\(request.secret) \(request.state) \(request.challenge)" }
            throw PluginError(.unauthenticated, "auth.refused", message)
        }
    }

    private static func verify(
        _ request: AuthVerifyRequest, _ tenant: String, _ now: Int64, _ store: inout Store, _ fault: OAuthFault?
    ) -> (subject: String?, what: String) {
        guard let begun = store.begun[request.challenge], begun.tenant == tenant || fault == .mixesTenants,
            begun.until > now || fault == .neverLapses
        else { return (nil, "challenge") }
        if fault != .keepsChallengesAfterRefusals, fault != .takesChallengesTwice {
            store.begun[request.challenge] = nil
        }
        let isState =
            switch fault {
            case .ignoresState: true
            case .comparesTheBeginningOfState: begun.state.hasPrefix(request.state)
            default: begun.state == request.state
            }
        guard isState else { return (nil, "state") }
        let isNobody = request.issuer.isEmpty && fault == .ignoresMissingIssuers
        guard request.issuer == "https://id.example" || fault == .ignoresIssuers || isNobody else {
            return (nil, "issuer")
        }
        guard let token = store.codes[request.secret] else { return (nil, "code") }
        if fault != .takesCodesTwice { store.codes[request.secret] = nil }
        if fault != .keepsOldKeys { store.knownKey = token.key }
        guard token.key == store.knownKey else { return (nil, "key") }
        if let flaw = token.flaw {
            store.isOffended = true
            guard fault == .takes(flaw) else { return (nil, "\(flaw)") }
        }
        guard !(store.isOffended && fault == .isOffendedByFlaws) else { return (nil, "offended") }
        let ignoresNonce: Set<OAuthFault> = [.ignoresWhoseCodeItIs, .takesCodesTwice, .takesChallengesTwice]
        guard token.nonce == begun.nonce || fault.map(ignoresNonce.contains) == true else { return (nil, "nonce") }
        store.begun[request.challenge] = fault == .takesChallengesTwice ? begun : nil
        switch fault {
        case .namesEachProofAnew: return (store.next("subject"), "")
        case .namesAllAlike: return ("somebody", "")
        default: return (token.person, "")
        }
    }
}

struct OAuthSuiteTests {
    private static let breaches: [Breach<OAuthFault>] =
        [
            Breach(.namesEachProofAnew, "aPersonIsTheSameSubjectEachTime", "One person is"),
            Breach(.namesAllAlike, "aPersonIsTheSameSubjectEachTime", "Two persons are one subject"),
            Breach(.takesCodesTwice, "aCodeIsTakenOnce", "A code that was used succeeded"),
            Breach(.keepsChallengesAfterRefusals, "aChallengeEndsOnce", "ended in a refusal succeeded"),
            Breach(.takesChallengesTwice, "aChallengeEndsOnce", "succeeded"),
            Breach(.neverLapses, "aChallengeLapses", "had lapsed succeeded"),
            Breach(.mixesTenants, "aTenantEndsItsOwnSignInsOnly", "of another tenant succeeded"),
            Breach(.returnsAnywhere, "aSignInReturnsOnlyToWhereItMay", "A return to anywhere succeeded"),
            Breach(.ignoresState, "anotherStateIsRefused", "Another state succeeded"),
            Breach(.comparesTheBeginningOfState, "anotherStateIsRefused", "Another state succeeded"),
            Breach(.changesState, "anotherStateIsRefused", "came back as another"),
            Breach(.ignoresIssuers, "anAnswerOfAnotherIssuerIsRefused", "of another issuer succeeded"),
            Breach(.ignoresMissingIssuers, "anAnswerOfAnotherIssuerIsRefused", "of nobody succeeded"),
            Breach(.ignoresWhoseCodeItIs, "aCodeBelongsToItsSignIn", "of another sign-in succeeded"),
            Breach(.saysWhatIsWrong, "refusalsAreAlikeAndRepeatNothing", "Refusals can be told apart"),
            Breach(.repeatsWhatWasSent, "refusalsAreAlikeAndRepeatNothing", "repeats what was sent"),
            Breach(.isOffendedByFlaws, "flawedIdentityTokensAreRefused", "A sound token after"),
            Breach(.keepsOldKeys, "keysMayRotate", "A token of a new key"),
        ]
        + IdentityTokenFlaw.allCases.map {
            Breach(.takes($0), "flawedIdentityTokensAreRefused", "with the flaw \($0) succeeded")
        }

    @Test(arguments: OAuthSuite.cases) func aSoundProviderPasses(_ rule: SuiteCase<OAuthSubject>) async throws {
        try await rule.run(FaultyOAuth(nil).subject)
    }

    @Test(arguments: breaches) func aBreachIsNoticed(_ breach: Breach<OAuthFault>) async throws {
        try await breach.isNoticed(by: OAuthSuite.cases, FaultyOAuth(breach.fault).subject)
    }
}
