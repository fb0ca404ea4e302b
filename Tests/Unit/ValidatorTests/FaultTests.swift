// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreManifest

@testable import Validator

/// One library that breaks one rule at a time, as its configuration says: each breach is found by the check it is for.
@Suite(.serialized) struct FaultTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        let name: String
        let check: String
        let reasons: [String]
        var testDescription: String { name }

        init(_ name: String, _ check: String, _ reasons: String...) {
            self.name = name
            self.check = check
            self.reasons = reasons.map { "validator.\($0)" }
        }
    }

    /// Those first that wait longest before they are found.
    static let faults = [
        Fault("descriptor_left", "swaps", "swap_leaves"),
        Fault("deactivate_hangs", "drain", "deactivate_hangs"),
        Fault("survives_signals", "crash", "crash_untold"),
        Fault("answers_by_generation", "crash", "respawn_differs"),
        Fault("answers_by_name", "crash", "crash_spreads"),
        Fault("second_generation_refused", "swaps", "swap_failed"),
        Fault("works_on_after_deactivate", "life", "host_after_deactivate"),
        Fault("create_leaves", "life", "create_leaves", "create_refused"),
        Fault("create_null", "life", "create_null"),
        Fault("instance_table", "life", "instance_table"),
        Fault("control_error", "life", "control_error"),
        Fault("completes_rejected", "calls", "completes_rejected"),
        Fault("completes_twice", "calls", "completes_twice"),
        Fault("unknown_completion", "calls", "unknown_completion"),
        Fault("result_without_error", "calls", "malformed_result"),
        Fault("error_with_payload", "calls", "malformed_result"),
        Fault("code_unknown", "calls", "malformed_result"),
        Fault("reason_malformed", "calls", "reason"),
        Fault("message_missing", "calls", "reason"),
        Fault("chunk_short", "calls", "malformed_chunk"),
        Fault("chunk_order", "calls", "sequence"),
        Fault("unknown_stream", "calls", "unknown_stream"),
        Fault("log_level", "calls", "malformed_log"),
        Fault("log_fields", "calls", "malformed_log"),
        Fault("unknown_clock", "calls", "unknown_clock"),
        Fault("output", "calls", "output"),
        Fault("request_with_id", "calls", "malformed_request"),
        Fault("request_garbage", "calls", "malformed_request"),
        Fault("unknown_call", "calls", "unknown_call"),
        Fault("unknown_parent", "calls", "unknown_parent"),
        Fault("understates", "effect", "effect_untrue"),
        Fault("overstates", "effect", "effect_untrue"),
        Fault("overstates_unasked", "effect", "effect_untrue"),
        Fault("pretends", "effect", "effect_untrue"),
        Fault("secret_in_answer", "secrets", "secret_in_answer"),
        Fault("secret_sent", "secrets", "secret_sent"),
    ]

    static func configuration(_ fault: String) -> JSONValue { .object(["fault": .string(fault)]) }

    /// Three at a time: the first ones do little but wait.
    static let verdicts = BuiltLibraries.verdicts(of: faults, atATime: 3) {
        try BuiltLibraries.verdict("Faulty", $0.check, configuration($0.name))
    }

    @Test(arguments: faults) func itIsFoundByTheCheckItIsFor(_ fault: Fault) throws {
        let verdict = try #require(Self.verdicts[fault.name]).get()
        #expect(verdict.id == fault.check && verdict.outcome == .failed)
        #expect(Set(verdict.reasons) == Set(fault.reasons), "\(verdict.findings)")
    }

    @Test func withoutAFaultItIsSound() throws {
        let report = try BuiltLibraries.validation("Faulty").run()
        #expect(report.faults == [])
        #expect(report.verdicts.map(\.id) == CheckTable.all.map(\.id))
        #expect(report.verdicts.allSatisfy { $0.outcome == .passed })
        let effect = try #require(report.verdicts.first { $0.id == "effect" }).evidence
        #expect(effect["with_something_done"]?.integer ?? 0 > 0 && effect["with_all_refused"]?.integer ?? 0 > 0)
    }

    @Test func aFaultThatThereIsNotIsRefused() throws {
        let verdict = try BuiltLibraries.verdict("Faulty", "life", Self.configuration("no_such_fault"))
        #expect(verdict.reasons == ["validator.create_refused"])
    }
}
