// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Ledger
@testable import SQLite

/// A ledger over real storage.
final class LedgerFixture: Sendable {
    let host = TestHost()
    let timers = Mutex<[HostScheduleRequest]>([])

    init() async throws {
        host.serve("theatre.host.v1.Timers/Schedule") { [weak self] (request: HostScheduleRequest, _) in
            self?.timers.withLock { $0.append(request) }
            return HostScheduleResponse()
        }
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("ledger.storage", to: "sqlite")
        try await host.install(Ledger.self, manifest: .plugin("Money/Ledger"), instance: "ledger")
        host.route("ledger", to: "ledger")
    }

    func client(_ principal: String = "") -> LedgerClient {
        LedgerClient(host.scope(principal: principal), feature: "ledger")
    }

    /// Gives a person chips.
    @discardableResult
    func credit(_ user: String, _ amount: Int64, key: String) async throws -> LedgerEntry {
        try await client().post(Self.entry(key, "user:\(user):CHIP", amount))
    }

    func balance(_ user: String) async throws -> LedgerBalance {
        try await client().getBalance(.with { $0.account = "user:\(user):CHIP" })
    }

    static func entry(_ key: String, _ account: String, _ amount: Int64, from other: String = "system:issued:CHIP")
        -> LedgerPostRequest
    {
        .with {
            $0.key = key
            $0.memo = "test"
            $0.reference = "ord_1"
            $0.postings = [posting(account, amount), posting(other, 0 - amount)]
        }
    }

    static func posting(_ account: String, _ amount: Int64, _ currency: String = "CHIP") -> LedgerPosting {
        .with {
            $0.account = account
            $0.amount = amount
            $0.currency = currency
        }
    }

    static func hold(_ key: String, _ user: String, _ amount: Int64, expiresAt: Int64 = 0) -> LedgerHoldRequest {
        .with {
            $0.key = key
            $0.account = "user:\(user):CHIP"
            $0.amount.amount = amount
            $0.amount.currency = "CHIP"
            $0.expiresAt = expiresAt
        }
    }

    static func settle(_ key: String, _ amount: Int64 = 0, to account: String = "system:issued:CHIP")
        -> LedgerSettleRequest
    {
        .with {
            $0.key = key
            $0.amount = amount
            $0.to = account
        }
    }
}

/// The reason a call is refused with; empty where it is not.
func reason(_ body: () async throws -> some Any) async -> String {
    do {
        _ = try await body()
        return ""
    } catch let error as PluginError {
        return error.reason
    } catch {
        return "\(error)"
    }
}
