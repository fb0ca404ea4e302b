// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Fulfils a wish to be erased, step by step. Each step done twice is done once, and the wish says where it stands: killed
/// anywhere, the next run goes on.
struct ErasureRun {
    let host: PluginHost
    let configuration: AccountsConfiguration
    let call: Call

    func run(_ id: String) async throws {
        do { try await steps(id) } catch let error as PluginError where error.retry == .never {
            // Whatever is in the way is not there for ever: the job comes again, as often as its queue allows. Then it is
            // dead, for the operator to see, and goes on where it stood when he has it run again.
            var error = error
            error.retry = .after(milliseconds: 60_000)
            throw error
        }
    }

    private func steps(_ id: String) async throws {
        let store = ErasureStore(call)
        guard let (erasure, people) = try await store.begin(id, at: host.now) else { return }
        var left: [String] = []
        for person in people { left += try await removeIdentities(of: person) }
        try await forgetAttempts(of: people)
        var parts = try await others(erasure, people, store)
        let destroyed = try await destroyKeys(of: people)
        parts[host.instance] = ErasureReceipt.Part(
            erased: try await store.count(of: people),
            kept: [
                "account: its id, as a pseudonym, with its times",
                "audit log, events: what was done, under the pseudonym, until it is removed with its segment",
            ] + Set(left).sorted())
        let now = host.now
        let receipt = ErasureReceipt(
            iss: configuration.issuer, sub: erasure.account, jti: erasure.id, iat: now / 1000,
            requestedAt: erasure.requestedAt / 1000, erasedAt: now / 1000, keyDestroyedAt: destroyed / 1000,
            parts: parts)
        try await store.finish(erasure, people, receipt: try await receipt.signed(call), at: now)
        host.log.info("an account was erased", ["account.id": erasure.account])
    }

    /// Has the providers forget the ways in; what is left with those that this deployment no longer has.
    private func removeIdentities(of person: String) async throws -> [String] {
        let rows = try await Database(call, feature: "accounts.storage").read(IdentityStore.listing, person)
        var left: [String] = []
        for identity in try rows.compactMap({ try IdentityStore.identity($0) }) {
            guard let feature = identity.provider.feature else { continue }
            guard !host.environment.unrouted.contains(feature) else {
                left.append("\(identity.provider.rawValue): its provider is no part of this deployment any more")
                continue
            }
            _ = try await identity.provider.client(call).remove(.with { $0.subject = identity.subject })
        }
        return left
    }

    /// Sign-ins that failed are counted by what stands for the address, which only the sealed address leads to.
    private func forgetAttempts(of people: [String]) async throws {
        let database = Database(call, feature: "accounts.storage")
        for person in people {
            var digests = [SignInAttempts.identifier(ofFactorOf: person)]
            let rows = try await database.read(
                "SELECT * FROM {accounts} WHERE tenant = :tenant AND id = ?1", person)
            do {
                if let row = rows.first, let email = EmailAddress(try await PersonalVault(call).account(row).email) {
                    digests.append(try await SignInAttempts(call, configuration).identifier(of: email))
                }
            } catch let error as PluginError where error.reason == "personal.erased" {
                // An earlier run came further than this.
            }
            for digest in digests {
                try await database.commit {
                    $0.run("DELETE FROM {attempts} WHERE tenant = :tenant AND identifier = ?1", digest)
                }
            }
        }
    }

    /// Has every other instance erase what it holds, unless an earlier run had.
    private func others(
        _ erasure: Erasure, _ people: [String], _ store: ErasureStore
    ) async throws -> [String: ErasureReceipt.Part] {
        if let done = erasure.parts {
            return try JSONDecoder().decode([String: ErasureReceipt.Part].self, from: Data(done.utf8))
        }
        var parts: [String: ErasureReceipt.Part] = [:]
        for person in people {
            let response = try await HostPersonalDataClient(call).erase(.with { $0.person = person })
            for part in response.parts { parts.add(part) }
        }
        try await store.keep(String(decoding: try JSONEncoder().encode(parts), as: UTF8.self), of: erasure.id)
        return parts
    }

    /// When the last of the keys was destroyed.
    private func destroyKeys(of people: [String]) async throws -> Int64 {
        var last: Int64 = 0
        for person in people {
            let response = try await HostPersonalKeysClient(call).destroy(.with { $0.person = person })
            last = max(last, response.destroyedAt)
        }
        return last
    }
}
