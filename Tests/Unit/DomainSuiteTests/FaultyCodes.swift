// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// What a provider of one-time codes may do wrong.
enum CodeFault: Sendable {
    case namesEachProofAnew, namesAllAlike, takesCodesTwice, looksBeforeItTakes, keepsTheOldCode, remembersTheRemoved
    case saysWhatIsWrong, countsNoGuesses, countsAfterLooking, neverLapses, ignoresTheIdentifier, mixesTenants
    case takesTheMalformed, neverStopsSending, doesNotSayForHowLong, sendsNothing
}

/// Codes in memory, with a fault or none.
struct FaultyCodes {
    let host = TestHost()
    private let store = Shared(Store())

    private struct Code {
        var tenant: String
        var identifier: String
        var text: String
        var tries = 0
        var until: Int64
    }

    private struct Store {
        var number = 0
        var codes: [String: Code] = [:]
        var sent: [String] = []
        var people: [[String]: String] = [:]
        var lastAt: [[String]: Int64] = [:]

        mutating func next() -> Int {
            number += 1
            return number
        }
    }

    var subject: CodeSubject {
        let (host, store) = (host, store)
        return CodeSubject(
            identifiers: ("li@example.org", "zhang@example.org", "li"),
            client: { AuthProviderClient(host.scope(tenant: $0), feature: "auth") },
            sent: { store.with { $0.sent } }, advance: { host.advance(milliseconds: $0) })
    }

    init(_ fault: CodeFault?) {
        let (host, store) = (host, store)
        host.fake("auth", "Start") { (request: AuthStartRequest, call) in
            guard request.identifier.contains("@") || fault == .takesTheMalformed else {
                throw PluginError(.invalidArgument, "auth.bad_identifier", "No.", detail: "/identifier")
            }
            let now = host.now
            return try store.with { store in
                let who = [call.tenant, request.identifier]
                if let last = store.lastAt[who], now - last < 60_000, fault != .neverStopsSending {
                    let retry = fault == .doesNotSayForHowLong ? PluginError.Retry.never : .after(milliseconds: 60_000)
                    throw PluginError(.resourceExhausted, "auth.throttled", "Later.", retry: retry)
                }
                store.lastAt[who] = now
                if fault != .keepsTheOldCode {
                    store.codes = store.codes.filter { [$1.tenant, $1.identifier] != who }
                }
                let challenge = "challenge-\(store.next())"
                let text = "\(100_000 + store.next() * 7)"
                store.codes[challenge] = Code(
                    tenant: call.tenant, identifier: request.identifier, text: text, until: now + 300_000)
                if fault != .sendsNothing { store.sent.append(text) }
                return AuthStartResponse.with {
                    $0.challenge = challenge
                    $0.expiresIn = 300
                }
            }
        }
        host.fake("auth", "Verify") { (request: AuthVerifyRequest, call) in
            let now = host.now
            let refused = { (what: String) in
                PluginError(.unauthenticated, "auth.refused", fault == .saysWhatIsWrong ? what : "It does not count.")
            }
            let found = store.with { store -> Code? in
                guard let code = store.codes[request.challenge], code.tries < 5 || fault == .countsNoGuesses else {
                    return nil
                }
                if fault != .countsAfterLooking { store.codes[request.challenge]?.tries += 1 }
                return code
            }
            guard let found, found.tenant == call.tenant || fault == .mixesTenants,
                found.until > now || fault == .neverLapses
            else {
                // Another tenant's guess is none.
                if let found, found.tenant != call.tenant {
                    store.with { $0.codes[request.challenge]?.tries = found.tries }
                }
                throw refused("No such challenge.")
            }
            if fault == .looksBeforeItTakes || fault == .countsAfterLooking {
                try await Task.sleep(for: .milliseconds(100))
            }
            guard found.text == request.secret,
                found.identifier == request.identifier || fault == .ignoresTheIdentifier
            else {
                if fault == .countsAfterLooking {
                    store.with { $0.codes[request.challenge]?.tries = found.tries + 1 }
                }
                throw refused("Another code.")
            }
            return try store.with { store in
                if fault != .takesCodesTwice {
                    let taken = store.codes.removeValue(forKey: request.challenge)
                    guard taken != nil || fault == .looksBeforeItTakes else { throw refused("Too late.") }
                }
                let who = [found.tenant, found.identifier]
                if fault == .namesEachProofAnew { store.people[who] = nil }
                let subject = fault == .namesAllAlike ? "sub" : store.people[who] ?? "sub-\(store.next())"
                store.people[who] = subject
                return AuthVerifyResponse.with { $0.subject = subject }
            }
        }
        host.fake("auth", "Remove") { (request: AuthRemoveRequest, _) in
            store.with { store in
                if fault != .remembersTheRemoved { store.people = store.people.filter { $1 != request.subject } }
            }
            return AuthRemoveResponse()
        }
    }
}

struct CodeSuiteTests {
    private static let breaches: [Breach<CodeFault>] = [
        Breach(.namesEachProofAnew, "theCodeThatWasSentProves", "One identifier is"),
        Breach(.namesAllAlike, "theCodeThatWasSentProves", "Two identifiers are one subject"),
        Breach(.sendsNothing, "theCodeThatWasSentProves", "One code of at least 6 figures"),
        Breach(.takesCodesTwice, "aCodeIsTakenOnce", "A code that was used succeeded"),
        Breach(.looksBeforeItTakes, "aCodeIsTakenOnceByManyAtOnce", "One code was taken"),
        Breach(.keepsTheOldCode, "aNewCodeTakesThePlaceOfTheLast", "there is another succeeded"),
        Breach(.remembersTheRemoved, "whatIsRemovedIsForgotten", "is the subject of before"),
        Breach(.saysWhatIsWrong, "wrongCodesAreRefusedAlike", "Refusals can be told apart"),
        Breach(.countsNoGuesses, "fiveGuessesAndNoMore", "after five guesses succeeded"),
        Breach(.countsAfterLooking, "guessesAtOnceAreCounted", "after eight guesses at once succeeded"),
        Breach(.neverLapses, "aCodeLapses", "had lapsed succeeded"),
        Breach(.ignoresTheIdentifier, "aCodeIsOfItsIdentifier", "of another identifier succeeded"),
        Breach(.mixesTenants, "aTenantKnowsOnlyItsOwn", "of another tenant succeeded"),
        Breach(.takesTheMalformed, "aMalformedIdentifierIsRefusedAtItsField", "A malformed identifier succeeded"),
        Breach(.neverStopsSending, "sendingIsBounded", "in a moment succeeded"),
        Breach(.doesNotSayForHowLong, "sendingIsBounded", "after how long"),
    ]

    @Test(arguments: CodeSuite.cases) func aSoundProviderPasses(_ rule: SuiteCase<CodeSubject>) async throws {
        try await rule.run(FaultyCodes(nil).subject)
    }

    @Test(arguments: breaches) func aBreachIsNoticed(_ breach: Breach<CodeFault>) async throws {
        try await breach.isNoticed(by: CodeSuite.cases, FaultyCodes(breach.fault).subject)
    }
}
