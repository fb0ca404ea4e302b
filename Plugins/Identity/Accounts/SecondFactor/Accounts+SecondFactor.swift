// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// A second factor: enrolment, and the second half of a sign-in.
extension Accounts: AccountsSecondFactorContract {
    func enrollFactor(_ request: AccountsEnrollFactorRequest, _ call: Call) async throws -> AccountsFactorSecret {
        guard let account = try await AccountsStore(call).account(call.principal) else {
            throw AccountsError.noAccount()
        }
        var factor = Factor(account: account.id, seed: RefreshToken.random().text, isOn: false, counter: -1)
        let secret = Base32.encode(try await factor.secret(call))
        try await FactorStore(call).enroll(factor, at: host.now)
        let issuer = Self.label(configuration.issuer)
        let label = "\(issuer):\(Self.label(account.email.isEmpty ? account.id : account.email))"
        return .with {
            $0.secret = secret
            $0.url =
                "otpauth://totp/\(label)?secret=\(secret)&issuer=\(issuer)&algorithm=SHA1&digits=6&period=\(TOTP.period)"
        }
    }

    func confirmFactor(_ request: AccountsConfirmFactorRequest, _ call: Call) async throws -> AccountsRecoveryCodes {
        let store = FactorStore(call)
        guard var factor = try await store.factor(of: call.principal) else { throw AccountsError.noFactor() }
        guard !factor.isOn else { throw AccountsError.factorOn() }
        let attempts = try await beginFactorAttempt(factor.account, call)
        let secret = try await factor.secret(call)
        guard
            let counter = TOTP.accepts(request.code, secret, at: host.now / 1000, after: factor.counter)
        else { throw AccountsError.codeRefused() }
        let codes = (0..<RecoveryCode.count).map { _ in RecoveryCode.random() }
        try await store.confirm(
            factor, counter, recovery: codes.compactMap { RecoveryCode.hash($0, of: factor.account) },
            forgetting: attempts, at: host.now)
        return .with { $0.codes = codes }
    }

    func completeSignIn(_ request: AccountsCompleteSignInRequest, _ call: Call) async throws -> AccountsSession {
        let store = FactorStore(call)
        guard let challenge = RefreshToken(request.challenge),
            let id = try await store.attempt(challenge.hash, at: host.now),
            let account = try await AccountsStore(call).account(id), var factor = try await store.factor(of: id)
        else { throw AccountsError.codeRefused() }
        try await refuseBanned(id, call)
        let attempts = try await beginFactorAttempt(id, call)
        let proof = try await prove(request.code, &factor, call)
        return try await beginSession(account, forgetting: attempts, call) { [factor] tx in
            try await FactorStore.meet(challenge.hash, tx)
            try await FactorStore.use(proof, of: factor, tx)
        }
    }

    func removeFactor(_ request: AccountsRemoveFactorRequest, _ call: Call) async throws
        -> AccountsRemoveFactorResponse
    {
        let store = FactorStore(call)
        guard var factor = try await store.factor(of: call.principal), factor.isOn else {
            throw AccountsError.noFactor()
        }
        let attempts = try await beginFactorAttempt(factor.account, call)
        let proof = try await prove(request.code, &factor, call)
        let response = AccountsRemoveFactorResponse()
        try await store.remove(factor, by: proof, forgetting: attempts, answer: response)
        return response
    }

    /// Counts a try at the codes of an account, however many challenges it has.
    private func beginFactorAttempt(_ account: String, _ call: Call) async throws -> [UInt8] {
        let identifier = SignInAttempts.identifier(ofFactorOf: account)
        try await SignInAttempts(call, configuration).begin(identifier, at: host.now)
        return identifier
    }

    private func prove(_ code: String, _ factor: inout Factor, _ call: Call) async throws -> FactorProof {
        do {
            let secret = try await factor.secret(call)
            if let counter = TOTP.accepts(code, secret, at: host.now / 1000, after: factor.counter) {
                return .time(counter)
            }
        } catch let error as PluginError where error.reason == "keys.no_version" {
            // Recovery codes need no key.
            host.log.warning("the version of the key mfa that made a second factor was retired", [:])
        }
        guard let hash = RecoveryCode.hash(code, of: factor.account) else { throw AccountsError.codeRefused() }
        return .recovery(hash)
    }

    /// A text as a part of an otpauth URL.
    private static func label(_ text: String) -> String {
        text.utf8.map { byte in
            Base64URL.isDigit(byte) || byte == UInt8(ascii: ".")
                ? String(UnicodeScalar(byte)) : "%" + Hex.encode([byte]).uppercased()
        }.joined()
    }
}
