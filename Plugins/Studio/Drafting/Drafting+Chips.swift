// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension Drafting {
    /// Reserves what a run costs, and gives the key of the hold.
    ///
    /// A hold that was freed before, since the run could not be stored, is not held again under its key: the same
    /// request goes on to the next of a few.
    func hold(_ run: StoredRun, _ call: Call) async throws -> String {
        let client = LedgerClient(call, feature: Self.ledger)
        for turn in 1...4 {
            let key = turn == 1 ? "run:\(run.id)" : "run:\(run.id):\(turn)"
            let request = LedgerHoldRequest.with {
                $0.key = key
                $0.account = "user:\(run.owner):CHIP"
                $0.amount.amount = run.cost
                $0.amount.currency = "CHIP"
                $0.memo = "Draft of \(run.shortTitle)"
                $0.reference = run.id
            }
            do {
                if try await client.hold(request, CallOptions(idempotencyKey: key)).status == .held { return key }
            } catch let error as PluginError where error.reason == "ledger.insufficient_funds" {
                throw DraftingError.insufficientChips(run.cost)
            }
        }
        throw DraftingError.holdSpent()
    }

    /// Frees the hold of a run if that works now.
    func free(_ run: StoredRun, _ call: Call) async {
        do {
            let options = CallOptions(idempotencyKey: "void:\(run.holdKey)")
            _ = try await LedgerClient(call, feature: Self.ledger).void(.with { $0.key = run.holdKey }, options)
        } catch {
            call.host.log.warning(
                "the chips of a run could not be freed at once", ["run": run.id, "reason": "\(error)"])
        }
    }
}
