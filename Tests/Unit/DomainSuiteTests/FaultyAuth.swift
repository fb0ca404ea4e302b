// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// What a provider of credentials may do wrong.
enum AuthFault: Sendable {
    case takesAnySecret, saysWhoIsUnknown, saysInWordsWhoIsUnknown, repeatsTheProof, isQuickForTheUnknown
    case comparesTheBeginning, ignoresCase, mixesTenants, removesAcrossTenants
    case overwrites, refusesButOverwrites, keepsTheOldSecret, renamesOnReplacing
    case namesEachProofAnew, forgetsNothing, forgetsAll, takesWeakSecrets, repeatsTheSecret
}

/// Credentials in memory, with a fault or none.
struct FaultyAuth {
    let host = TestHost()

    private struct Credential {
        var subject: String
        var secrets: [String]
    }

    private struct Store {
        /// By tenant and identifier.
        var all: [[String]: Credential] = [:]
        var next = 0

        mutating func number() -> String {
            next += 1
            return "sub_\(next)"
        }
    }

    var subject: AuthSubject {
        AuthSubject { [host] tenant in AuthProviderClient(host.scope(tenant: tenant), feature: "auth") }
    }

    init(_ fault: AuthFault?) {
        let store = Shared(Store())
        let place: @Sendable (Call, String) -> [String] = { call, identifier in
            [fault == .mixesTenants ? "" : call.tenant, identifier]
        }
        host.fake("auth", "Enroll") { (request: AuthEnrollRequest, call) in
            guard fault == .takesWeakSecrets || (8...1000).contains(request.secret.count) else {
                let what = fault == .repeatsTheSecret ? ": \(request.secret)" : ""
                throw PluginError(.invalidArgument, "auth.weak", "Choose another secret\(what).", detail: "/secret")
            }
            return try store.with { store in
                let key = place(call, request.identifier)
                var credential = store.all[key] ?? Credential(subject: store.number(), secrets: [])
                let isKnown = store.all[key] != nil
                if fault == .keepsTheOldSecret {
                    credential.secrets.append(request.secret)
                } else {
                    credential.secrets = [request.secret]
                }
                if fault == .renamesOnReplacing { credential.subject = store.number() }
                let isRefused = isKnown && !request.replace && fault != .overwrites
                if !isRefused || fault == .refusesButOverwrites { store.all[key] = credential }
                guard !isRefused else { throw PluginError(.alreadyExists, "auth.exists", "There is one.") }
                return AuthEnrollResponse.with { $0.subject = credential.subject }
            }
        }
        host.fake("auth", "Verify") { (request: AuthVerifyRequest, call) in
            let found = store.with { $0.all[place(call, request.identifier)] }
            guard let found else {
                if fault == .saysWhoIsUnknown { throw PluginError(.notFound, "auth.unknown", "Nobody has this name.") }
                throw PluginError(
                    .unauthenticated, "auth.refused",
                    fault == .saysInWordsWhoIsUnknown ? "Nobody has this name." : "The proof is wrong.")
            }
            // What a hash costs.
            if fault == .isQuickForTheUnknown { try await Task.sleep(for: .milliseconds(300)) }
            let isRight =
                switch fault {
                case .takesAnySecret: true
                case .comparesTheBeginning: found.secrets.contains { $0.prefix(72) == request.secret.prefix(72) }
                case .ignoresCase: found.secrets.contains { $0.lowercased() == request.secret.lowercased() }
                default: found.secrets.contains(request.secret)
                }
            guard isRight else {
                let what = fault == .repeatsTheProof ? " (\(request.secret))" : ""
                throw PluginError(.unauthenticated, "auth.refused", "The proof is wrong.\(what)")
            }
            let subject = fault == .namesEachProofAnew ? store.with { $0.number() } : found.subject
            return AuthVerifyResponse.with { $0.subject = subject }
        }
        host.fake("auth", "Remove") { (request: AuthRemoveRequest, call) in
            store.with { store in
                store.all = store.all.filter { key, credential in
                    switch fault {
                    case .forgetsNothing: true
                    case .forgetsAll: false
                    case .removesAcrossTenants: credential.subject != request.subject
                    default: credential.subject != request.subject || (key[0] != call.tenant && !key[0].isEmpty)
                    }
                }
            }
            return AuthRemoveResponse()
        }
    }
}

struct AuthSuiteTests {
    private static let breaches: [Breach<AuthFault>] = [
        Breach(.namesEachProofAnew, "whatWasEnrolledVerifiesAsTheSameSubject", "sub_1 was enrolled and sub_2 verified"),
        Breach(.takesAnySecret, "wrongProofsAreRefusedAlike", "A wrong proof succeeded"),
        Breach(.saysWhoIsUnknown, "wrongProofsAreRefusedAlike", "notFound auth.unknown, not UNAUTHENTICATED"),
        Breach(.saysInWordsWhoIsUnknown, "wrongProofsAreRefusedAlike", "Wrong proofs can be told apart"),
        Breach(.repeatsTheProof, "wrongProofsAreRefusedAlike", "repeats the secret"),
        Breach(.isQuickForTheUnknown, "wrongProofsAreRefusedInTheSameTime", "where there is none"),
        Breach(.comparesTheBeginning, "aSecretIsComparedAsAWhole", "A wrong proof succeeded"),
        Breach(.ignoresCase, "aSecretIsComparedAsAWhole", "A wrong proof succeeded"),
        Breach(.mixesTenants, "aTenantKnowsOnlyItsOwn", "A wrong proof succeeded"),
        Breach(.removesAcrossTenants, "aTenantKnowsOnlyItsOwn", "A tenant removed another's credential"),
        Breach(.overwrites, "aCredentialIsReplacedOnlyWhereThatIsAsked", "A second credential succeeded"),
        Breach(.refusesButOverwrites, "aCredentialIsReplacedOnlyWhereThatIsAsked", "What was refused replaced"),
        Breach(.keepsTheOldSecret, "aCredentialIsReplacedOnlyWhereThatIsAsked", "A wrong proof succeeded"),
        Breach(.renamesOnReplacing, "aCredentialIsReplacedOnlyWhereThatIsAsked", "another subject"),
        Breach(.forgetsNothing, "whatIsRemovedIsForgotten", "A wrong proof succeeded"),
        Breach(.forgetsAll, "whatIsRemovedIsForgotten", "Another subject was forgotten too"),
        Breach(.takesWeakSecrets, "aWeakSecretIsRefusedAndNotRepeated", "A secret of one letter succeeded"),
        Breach(.repeatsTheSecret, "aWeakSecretIsRefusedAndNotRepeated", "repeats the secret"),
    ]

    @Test(arguments: AuthSuite.cases) func aSoundProviderPasses(_ rule: SuiteCase<AuthSubject>) async throws {
        try await rule.run(FaultyAuth(nil).subject)
    }

    @Test(arguments: breaches) func aBreachIsNoticed(_ breach: Breach<AuthFault>) async throws {
        try await breach.isNoticed(by: AuthSuite.cases, FaultyAuth(breach.fault).subject)
    }
}
