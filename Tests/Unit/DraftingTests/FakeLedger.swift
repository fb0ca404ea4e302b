// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// A ledger's holds in memory, with the contract's rules, that counts what happened.
final class FakeLedger: Sendable {
    struct Hold {
        var state: LedgerHoldState
        var settles = 0
        var voids = 0
    }

    struct State {
        var available: Int64
        var holds: [String: Hold] = [:]
    }

    let state: Mutex<State>

    init(available: Int64) { state = Mutex(State(available: available)) }

    var available: Int64 { state.withLock { $0.available } }
    var holds: [LedgerHoldState] { state.withLock { $0.holds.values.map(\.state) } }
    var statuses: [LedgerHoldStatus] { holds.map(\.status) }
    /// How often chips were moved.
    var settles: Int { state.withLock { $0.holds.values.reduce(0) { $0 + $1.settles } } }

    func serve(on host: TestHost, feature: String) {
        host.fake(feature, "Hold") { (request: LedgerHoldRequest, _) in try self.hold(request) }
        host.fake(feature, "Settle") { (request: LedgerSettleRequest, _) in try self.settle(request) }
        host.fake(feature, "Void") { (request: LedgerVoidRequest, _) in try self.void(request.key) }
    }

    func hold(_ request: LedgerHoldRequest) throws -> LedgerHoldState {
        try state.withLock { state in
            if let hold = state.holds[request.key] {
                guard hold.state.amount == request.amount, hold.state.account == request.account else {
                    throw PluginError(.alreadyExists, "ledger.key_reused", "Another hold has this key.")
                }
                return hold.state
            }
            guard state.available >= request.amount.amount else {
                throw PluginError(.failedPrecondition, "ledger.insufficient_funds", "Too little is available.")
            }
            state.available -= request.amount.amount
            let made = LedgerHoldState.with {
                $0.key = request.key
                $0.account = request.account
                $0.amount = request.amount
                $0.status = .held
            }
            state.holds[request.key] = Hold(state: made)
            return made
        }
    }

    func settle(_ request: LedgerSettleRequest) throws -> LedgerHoldState {
        try state.withLock { state in
            guard var hold = state.holds[request.key] else {
                throw PluginError(.notFound, "ledger.no_hold", "There is no such hold.")
            }
            if hold.state.status == .held {
                hold.state.status = .settled
                hold.state.settledAmount = hold.state.amount.amount
                hold.settles += 1
            }
            guard hold.state.status == .settled else {
                throw PluginError(.failedPrecondition, "ledger.hold_voided", "The hold was freed.")
            }
            state.holds[request.key] = hold
            return hold.state
        }
    }

    func void(_ key: String) throws -> LedgerHoldState {
        try state.withLock { state in
            guard var hold = state.holds[key] else {
                throw PluginError(.notFound, "ledger.no_hold", "There is no such hold.")
            }
            guard hold.state.status != .settled else {
                throw PluginError(.failedPrecondition, "ledger.hold_settled", "The hold was settled.")
            }
            if hold.state.status == .held {
                hold.state.status = .voided
                hold.voids += 1
                state.available += hold.state.amount.amount
            }
            state.holds[key] = hold
            return hold.state
        }
    }
}
