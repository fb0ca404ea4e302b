// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Validator

/// Every deliberately bad library fails, each for its own reason.
@Suite(.serialized) struct BadLibraryTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        let name: String
        let check: String
        let reasons: [String]
        var testDescription: String { "\(name) \(check)" }

        init(_ name: String, _ check: String, _ reasons: String...) {
            self.name = name
            self.check = check
            self.reasons = reasons
        }
    }

    static let bad = [
        Bad("AnswersGarbage", "calls", "validator.malformed_response"),
        Bad("BelievesSizes", "newer", "validator.crashed"),
        Bad("Blocks", "blocking", "validator.invoke_blocks"),
        Bad("Bookkeeper", "calls", "validator.malformed_response"),
        Bad("Brittle", "config", "validator.crashed"),
        Bad("CallsHostOnly", "manifest", "call.host_only"),
        Bad("CompletesTwice", "calls", "validator.completes_twice"),
        Bad("Exits", "life", "validator.exited"),
        Bad("ExportsMore", "elf", "validator.elf_exports", "validator.elf_forbidden"),
        Bad("Fickle", "entry", "validator.entry_differs", "validator.entry_allocates"),
        Bad("Gullible", "garbage", "validator.serves_unknown", "validator.accepts_malformed"),
        Bad("HangsInActivate", "life", "validator.hung"),
        Bad("Incomplete", "manifest", "contract.incomplete"),
        Bad("KeepsBorrowed", "borrowed", "validator.crashed"),
        Bad("Leaks", "leak", "validator.thread_left", "validator.descriptor_left", "validator.memory_left"),
        Bad("Leaks", "life", "validator.thread_left"),
        Bad("Lies", "load", "plugin.lies"),
        Bad("LiesOfContracts", "load", "plugin.lies"),
        Bad("Lingers", "life", "validator.host_after_destroy"),
        Bad("Loose", "config", "validator.bad_configuration"),
        Bad("Loose", "manifest", "validator.schema_open", "validator.route_message"),
        Bad(
            "Meddles", "load", "validator.load_thread", "validator.load_descriptor", "validator.load_signal",
            "validator.load_environment", "validator.load_locale", "validator.load_folder", "validator.load_output"),
        Bad("NeverCompletes", "calls", "validator.never_completes"),
        Bad("NeverCompletes", "deadline", "validator.ignores_deadline"),
        Bad("NeverCompletes", "cancel", "validator.ignores_cancel"),
        Bad("NeverCompletes", "drain", "validator.never_drains"),
        Bad("NewerHost", "file", "plugin.newer_host"),
        Bad("NoEntry", "file", "plugin.no_entry"),
        Bad("OddAttribute", "manifest", "attribute.undeclared"),
        Bad("OddAttributeType", "manifest", "attribute.type"),
        Bad("OddCapability", "manifest", "manifest.capability_unknown"),
        Bad("OddOperation", "manifest", "manifest.operation_unknown"),
        Bad("OddRate", "manifest", "http.route_invalid"),
        Bad("OpensSocket", "egress", "validator.socket"),
        Bad("ReadsBeyond", "older", "validator.crashed"),
        Bad("Remembers", "swaps", "validator.swap_lost_call", "validator.two_generations"),
        Bad("Shares", "pair", "validator.instances_share"),
        Bad("Spawns", "entry", "validator.entry_thread"),
        Bad("Squats", "crash", "validator.no_respawn"),
        Bad("Stunted", "load", "plugin.lies"),
        Bad("Tattles", "secrets", "validator.secret_in_error", "validator.secret_in_log"),
        Bad("ThrowsInCreate", "life", "validator.create_refused"),
        Bad("TwoFaced", "modes", "validator.modes_differ"),
        Bad("Understates", "effect", "validator.effect_untrue"),
        Bad("WrongMajor", "file", "plugin.abi_major"),
    ]

    /// Those first that take long.
    static let verdicts: [String: Result<Verdict, any Error>] = {
        let slow = ["HangsInActivate", "Leaks", "NeverCompletes", "Remembers", "Blocks"]
        let ordered = bad.filter { slow.contains($0.name) } + bad.filter { !slow.contains($0.name) }
        return BuiltLibraries.verdicts(of: ordered, atATime: 2) { try BuiltLibraries.verdict($0.name, $0.check) }
    }()

    private func verdict(_ name: String, _ check: String) throws -> Verdict {
        try #require(Self.verdicts["\(name) \(check)"]).get()
    }

    @Test(arguments: bad) func itFailsForItsOwnReason(_ bad: Bad) throws {
        let verdict = try verdict(bad.name, bad.check)
        #expect(!verdict.isSound)
        #expect(Set(verdict.reasons) == Set(bad.reasons), "\(verdict.findings)")
        #expect(verdict.id == bad.check)
    }

    /// What only a deployment does wrong with them: as libraries they are sound.
    @Test(arguments: ["BadConfig", "Contrary", "Demanding", "IsolatedOnly", "NeedsGrant", "Needy", "Unguarded"])
    func whatOnlyADeploymentGetsWrongIsNoFaultOfTheLibrary(_ name: String) throws {
        var validation = BuiltLibraries.validation(name)
        validation.isQuick = true
        #expect(try validation.run().faults == [])
    }

    @Test func aCrashSaysItsSignalAndWhatItWasIn() throws {
        let verdict = try verdict("ReadsBeyond", "older")
        #expect(verdict.outcome == .crashed(signal: 11))
        #expect(verdict.place.contains("revision 0"))
        let hang = try self.verdict("HangsInActivate", "life")
        #expect(hang.outcome == .hung(seconds: 40) && hang.place == "create and activate")
    }

    @Test func whatDoesNotLiveIsNotTriedAgain() throws {
        let report = try BuiltLibraries.validation("Exits").run()
        #expect(report.verdicts.filter { !$0.isSound }.map(\.id) == ["life"])
        #expect(report.verdicts.count { $0.outcome == .skipped("no instance lives; see life") } == 19)
    }
}
