// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Two accounts of one person become one.
extension Accounts {
    func mergeAccounts(_ request: AccountsMergeAccountsRequest, _ call: Call) async throws -> AccountsMerge {
        let proved = try await proveOther(request, call)
        let store = AccountsStore(call)
        guard let from = try await store.account(provider: proved.provider.rawValue, subject: proved.subject) else {
            throw AccountsError.refused()
        }
        guard from.id != call.principal else { throw AccountsError.ownAccount() }
        // Who is shut out does not come in by another door, and one factor opens nothing that asks for two.
        try await refuseBanned(from.id, call)
        guard try await FactorStore(call).factor(of: from.id)?.isOn != true else { throw AccountsError.factorOn() }
        guard try await ErasureStore(call).open(of: from.id) == nil else { throw AccountsError.erasing() }
        let merges = MergeStore(call)
        guard !request.dryRun else { return try await merges.preview(from.id, into: call.principal) }
        return try await merges.merge(
            from.id, into: call.principal, id: ULID.next(prefix: "mrg", at: host.now), at: host.now)
    }

    func undoMerge(_ request: AccountsUndoMergeRequest, _ call: Call) async throws -> AccountsMerge {
        try await MergeStore(call).undo(request.mergeID, by: call.principal, at: host.now)
    }

    /// Tries at a password are counted as at a sign-in.
    private func proveOther(_ request: AccountsMergeAccountsRequest, _ call: Call) async throws -> ProvedIdentity {
        let provider = try IdentityProvider.find(request.provider, call)
        guard provider == .password else {
            return try await ProvedIdentity.prove(
                provider,
                .with {
                    $0.identifier = request.identifier
                    $0.secret = request.secret
                    $0.challenge = request.challenge
                    $0.state = request.state
                    $0.issuer = request.issuer
                    $0.identityToken = request.identityToken
                }, call)
        }
        guard let email = EmailAddress(request.identifier) else { throw AccountsError.refused() }
        let attempts = SignInAttempts(call, configuration)
        let identifier = try await attempts.identifier(of: email)
        try await attempts.begin(identifier, at: host.now)
        let subject = try await verify(email, request.secret, undoing: identifier, attempts, call)
        try await attempts.undo(identifier)
        return ProvedIdentity(.password, subject: subject)
    }
}
