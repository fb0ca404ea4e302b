// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Double-entry books with holds.
struct Ledger: Plugin, LedgerContract, HostTargetContract {
    static var operations: [TheatrePlugin.Operation<Ledger>] {
        ledgerOperations + hostTargetOperations + privacyHolderOperations
    }

    let host: PluginHost
    private let configuration: LedgerConfiguration

    init(_ host: PluginHost, _ configuration: LedgerConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    func activate() async throws {
        try await database(host).migrate(LedgerSchema.migrations)
    }

    func selfTest() async throws {
        _ = try await database(host).read("SELECT COUNT(*) AS n FROM {accounts} WHERE tenant = :tenant")
    }

    func database(_ scope: some CallScope) -> Database { Database(scope, feature: "ledger.storage") }

    // MARK: Entries

    func post(_ request: LedgerPostRequest, _ call: Call) async throws -> LedgerEntry {
        let draft = try EntryDraft(request)
        let now = host.now
        return try await database(call).write { tx in
            let store = LedgerStore(tx: tx, now: now)
            if let known = try await store.entry(key: draft.key) {
                guard known.digest == draft.digest else { throw LedgerError.keyReused() }
                return known.entry
            }
            let entry = try await store.post(draft)
            try LedgerEvents.posted(entry, in: tx)
            return entry
        }
    }

    func findEntry(_ request: LedgerFindEntryRequest, _ call: Call) async throws -> LedgerEntry {
        let rows = try await database(call).read(LedgerRows.entryByKey, request.key)
        guard let found = try LedgerRows.entry(rows) else { throw LedgerError.noEntry() }
        return found.entry
    }

    // MARK: Holds

    func hold(_ request: LedgerHoldRequest, _ call: Call) async throws -> LedgerHoldState {
        let now = host.now
        let hold = try HoldRow(request, at: now, hours: configuration.holdHours)
        let account = try Account(hold.account, at: "/account")
        let (state, isNew) = try await database(call).write { tx in
            let store = LedgerStore(tx: tx, now: now)
            if let known = try await store.hold(key: hold.key) {
                guard known.digest == hold.digest else { throw LedgerError.keyReused() }
                return (known.state(at: now), false)
            }
            guard hold.expiresAt > now else { throw LedgerError.expiry() }
            try await store.expireHolds(of: account.name)
            var row = try await store.account(account)
            let before = row.version
            row.held = try Amount.add(row.held, hold.amount)
            try await store.save(row, of: account, before: before)
            try await store.insert(hold)
            try LedgerEvents.changed(hold, in: tx)
            return (hold.state(at: now), true)
        }
        if isNew { await schedule(hold, call) }
        return state
    }

    func settle(_ request: LedgerSettleRequest, _ call: Call) async throws -> LedgerHoldState {
        let now = host.now
        let receiver = try Account(request.to, at: "/to")
        guard request.memo.utf8.count <= 500 else { throw LedgerError.text("/memo") }
        return try await database(call).write { tx in
            let store = LedgerStore(tx: tx, now: now)
            guard var hold = try await store.hold(key: request.key) else { throw LedgerError.noHold() }
            guard receiver.currency == hold.currency, receiver.name != hold.account else {
                throw LedgerError.currency("/to")
            }
            switch hold.settle(request.amount, to: receiver.name, at: now) {
            case .same: return hold.state(at: now)
            case .refuse(let phase): throw LedgerError.ended(phase)
            case .tooMuch: throw LedgerError.amount("/amount", "more than 0 and at most what is held; 0 stands for all")
            case .end(let amount):
                let draft = try EntryDraft(settling: hold, amount: amount, to: receiver, memo: request.memo)
                let entry = try await store.post(draft, freeing: (hold.account, hold.amount))
                hold.phase = .settled
                hold.entryID = entry.id
                hold.settledAmount = amount
                hold.settledTo = receiver.name
                try await store.end(hold)
                try LedgerEvents.posted(entry, in: tx)
                try LedgerEvents.changed(hold, in: tx)
                return hold.state(at: now)
            }
        }
    }

    func void(_ request: LedgerVoidRequest, _ call: Call) async throws -> LedgerHoldState {
        let now = host.now
        return try await database(call).write { tx in
            let store = LedgerStore(tx: tx, now: now)
            guard var hold = try await store.hold(key: request.key) else { throw LedgerError.noHold() }
            switch hold.void(at: now) {
            case .same, .tooMuch: return hold.state(at: now)
            case .refuse(let phase): throw LedgerError.ended(phase)
            case .end:
                let account = try Account(hold.account, at: "/key")
                var row = try await store.account(account)
                let before = row.version
                row.held = try Amount.subtract(row.held, hold.amount)
                try await store.save(row, of: account, before: before)
                hold.phase = .voided
                try await store.end(hold)
                try LedgerEvents.changed(hold, in: tx)
                return hold.state(at: now)
            }
        }
    }

    func findHold(_ request: LedgerFindHoldRequest, _ call: Call) async throws -> LedgerHoldState {
        let rows = try await database(call).read(LedgerRows.holdByKey, request.key)
        guard let hold = try rows.first.map(LedgerRows.hold) else { throw LedgerError.noHold() }
        return hold.state(at: host.now)
    }

    /// Without its timer a hold still ends when its account is next touched, so a failure is not the caller's.
    private func schedule(_ hold: HoldRow, _ call: Call) async {
        let request = HostScheduleRequest.with {
            $0.name = "hold:\(hold.id)"
            $0.at = hold.expiresAt
            $0.payload = Data(hold.account.utf8)
        }
        do {
            _ = try await HostTimersClient(call).schedule(request)
        } catch {
            host.log.warning("a hold has no timer", ["hold.id": hold.id, "error": "\(error)"])
        }
    }

    /// Time may have ended holds of the account in the payload.
    func fire(_ request: HostFireRequest, _ call: Call) async throws -> HostFireResponse {
        let account = String(decoding: request.payload, as: UTF8.self)
        let now = host.now
        try await database(call).write { tx in try await LedgerStore(tx: tx, now: now).expireHolds(of: account) }
        return HostFireResponse()
    }

    // MARK: Reading

    func getBalance(_ request: LedgerGetBalanceRequest, _ call: Call) async throws -> LedgerBalance {
        let account = try Account(request.account, at: "/account")
        return try await WalletReader(db: database(call), now: host.now).balance(of: account)
    }

    func verify(_ request: LedgerVerifyRequest, _ call: Call) async throws -> LedgerVerifyResponse {
        try LedgerProof.response(try await database(call).read(LedgerProof.sql))
    }

    func getWallet(_ request: LedgerGetWalletRequest, _ call: Call) async throws -> LedgerWallet {
        guard !call.principal.isEmpty else { throw LedgerError.noPrincipal() }
        return try await WalletReader(db: database(call), now: host.now).wallet(of: call.principal)
    }

    func listWalletEntries(_ request: LedgerListWalletEntriesRequest, _ call: Call) async throws -> LedgerWalletEntries
    {
        guard !call.principal.isEmpty else { throw LedgerError.noPrincipal() }
        let limit = request.limit == 0 ? 50 : min(200, Int(request.limit))
        return try await WalletReader(db: database(call), now: host.now)
            .entries(of: call.principal, limit: limit, cursor: request.cursor)
    }
}
