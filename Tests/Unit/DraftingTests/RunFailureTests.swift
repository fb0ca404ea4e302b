// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Drafting

/// Runs whose steps fail, are killed, or are stopped.
struct RunFailureTests {
    /// Calls of a run, in the order of its steps.
    static let steps = [
        "query", "commit draft.started", "outline", "commit draft.outlined", "embed", "commit ", "validate",
        "commit draft.culture_checked", "enrich", "commit draft.scene_written", "settle", "send",
        "commit draft.succeeded",
    ]

    @Test(arguments: steps, [false, true])
    func aStepThatFailsOnceIsDoneAgain(_ step: String, isAfter: Bool) async throws {
        let stage = try await Stage()
        let started = try await stage.client().startRun(stage.prepare())
        let error = PluginError(.unavailable, "test.killed", "Killed.", effect: .unknown)
        stage.faults.fail(step, with: error, after: isAfter)
        #expect(try await stage.pump(started.id) == (step == "send" ? 1 : 2))
        try await expectSuccess(stage, started)
    }

    @Test func everyStepMayFailInOneRun() async throws {
        let stage = try await Stage(configuration: #"{"max_attempts": 50}"#)
        let started = try await stage.client().startRun(stage.prepare())
        let error = PluginError(.deadlineExceeded, "test.slow", "Slow.", effect: .unknown)
        for step in Self.steps { stage.faults.fail(step, times: 2, with: error, after: step.contains("commit")) }
        #expect(try await stage.pump(started.id, attempts: 50) > Self.steps.count)
        try await expectSuccess(stage, started)
    }

    @Test(arguments: ["outline", "embed", "validate", "enrich"])
    func aFailureForGoodChargesNothing(_ step: String) async throws {
        let stage = try await Stage()
        let started = try await stage.client().startRun(stage.prepare())
        stage.faults.fail(step, with: PluginError(.invalidArgument, "test.bad", "Bad."))
        #expect(try await stage.pump(started.id) == 1)
        try await expectFailure(stage, started, "test.bad")
    }

    @Test func aFailureThatDoesNotPassIsFinalAfterTheLastAttempt() async throws {
        let stage = try await Stage(configuration: #"{"max_attempts": 3}"#)
        let started = try await stage.client().startRun(stage.prepare())
        stage.faults.fail("embed", times: 99, with: PluginError(.unavailable, "test.down", "Down."))
        #expect(try await stage.pump(started.id) == 3)
        try await expectFailure(stage, started, "test.down")
    }

    @Test func chipsAreFreedHoweverOftenTheLedgerIsAway() async throws {
        let stage = try await Stage(configuration: #"{"max_attempts": 2}"#)
        let started = try await stage.client().startRun(stage.prepare())
        stage.faults.fail("outline", with: PluginError(.invalidArgument, "test.bad", "Bad."))
        stage.faults.fail("void", times: 5, with: PluginError(.unavailable, "test.down", "Down."))
        #expect(try await stage.pump(started.id) == 6)
        try await expectFailure(stage, started, "test.bad")
    }

    @Test func aSettledRunSucceedsThoughNoAnswerEverCame() async throws {
        let stage = try await Stage(configuration: #"{"max_attempts": 1}"#)
        let started = try await stage.client().startRun(stage.prepare())
        let lost = PluginError(.unavailable, "test.lost", "Lost.", effect: .unknown)
        stage.faults.fail("settle", times: 9, with: lost, after: true)
        try await stage.pump(started.id)
        try await expectSuccess(stage, started)
    }

    @Test func aHoldThatExpiredFailsTheRun() async throws {
        let stage = try await Stage()
        let started = try await stage.client().startRun(stage.prepare())
        _ = try stage.ledger.void("run:\(started.id)")
        try await stage.pump(started.id)
        try await expectFailure(stage, started, "ledger.hold_voided")
    }

    @Test func anOutlineThatIsNoneIsAskedForAgain() async throws {
        let stage = try await Stage()
        let started = try await stage.client().startRun(stage.prepare())
        stage.host.fake("studio.outline", "Complete") { (_: ContentChatRequest, _) in
            ContentChatResponse.with { $0.text = "I would rather not." }
        }
        #expect(try await stage.pump(started.id) == 5)
        try await expectFailure(stage, started, "drafting.bad_outline")
    }

    @Test func aMessageThatCannotBeSentIsLogged() async throws {
        let stage = try await Stage()
        let started = try await stage.client().startRun(stage.prepare())
        stage.faults.fail("send", times: 9, with: PluginError(.invalidArgument, "notification.rejected", "No."))
        #expect(try await stage.pump(started.id) == 1)
        #expect(try await stage.client().getRun(.with { $0.runID = started.id }).status == .succeeded)
        #expect(stage.host.logs.contains { $0.instance == "drafting" && $0.fields.contains("notification.rejected") })
    }

    @Test func aCanceledRunIsNotWorkedOn() async throws {
        let stage = try await Stage()
        let started = try await stage.client().startRun(stage.prepare())
        let canceled = try await stage.client().cancelRun(.with { $0.runID = started.id })
        #expect(canceled.status == .canceled && canceled.finishedAt > 0)
        #expect(stage.ledger.statuses == [.voided] && stage.ledger.available == 100)
        #expect(try await stage.client().cancelRun(.with { $0.runID = started.id }).status == .canceled)
        #expect(try await stage.pump(started.id) == 1)
        #expect(try await stage.client().listScenes(.with { $0.runID = started.id }).items.isEmpty)
        let types = try await stage.events().map(\.type)
        #expect(types == ["draft.requested", "draft.canceled"])
        #expect(stage.messages.all.isEmpty)
    }

    @Test func aRunIsStoppedBetweenItsSteps() async throws {
        let stage = try await Stage()
        let started = try await stage.client().startRun(stage.prepare())
        let host = stage.host
        host.fake("studio.retrieval.embed", "Embed") { (request: ContentEmbedRequest, call) in
            // While the step is under way; the chips cannot be freed at once either.
            stage.faults.fail("void", with: PluginError(.unavailable, "test.down", "Down."))
            _ = try await stage.client().cancelRun(.with { $0.runID = started.id })
            return try await ContentEmbeddingClient(host.scope(call.context), feature: "embedding").embed(request)
        }
        #expect(try await stage.pump(started.id) == 1)
        let run = try await stage.client().getRun(.with { $0.runID = started.id })
        #expect(run.status == .canceled)
        #expect(stage.ledger.statuses == [.voided] && stage.ledger.settles == 0)
        #expect(try await stage.events().last?.type == "draft.canceled")
    }

    @Test func anEndedRunCannotBeStopped() async throws {
        let stage = try await Stage()
        let started = try await stage.client().startRun(stage.prepare())
        stage.faults.fail("settle", with: PluginError(.unavailable, "test.down", "Down."))
        #expect(try await stage.pump(started.id, attempts: 1) == 0)
        await refused("drafting.run_settling", .failedPrecondition) {
            try await stage.client().cancelRun(.with { $0.runID = started.id })
        }
        try await stage.pump(started.id)
        await refused("drafting.run_ended", .failedPrecondition) {
            try await stage.client().cancelRun(.with { $0.runID = started.id })
        }
        try await expectSuccess(stage, started)
    }

    private func expectSuccess(_ stage: Stage, _ started: StudioRun) async throws {
        let run = try await stage.client().getRun(.with { $0.runID = started.id })
        #expect(run.status == .succeeded && run.failure.isEmpty)
        let scenes = try await stage.client().listScenes(.with { $0.runID = started.id }).items
        #expect(scenes.map(\.number) == run.outline.beats.map(\.number))
        #expect(stage.ledger.statuses == [.settled] && stage.ledger.settles == 1)
        #expect(stage.ledger.available == 100 - run.cost.amount)
        let types = try await stage.events().filter { $0.aggregate == run.id }.map(\.type)
        #expect(types.count { $0 == "draft.scene_written" } == scenes.count)
        for type in ["draft.started", "draft.outlined", "draft.culture_checked", "draft.succeeded"] {
            #expect(types.count { $0 == type } == 1)
        }
        #expect(stage.host.violations.isEmpty)
    }

    private func expectFailure(_ stage: Stage, _ started: StudioRun, _ reason: String) async throws {
        let run = try await stage.client().getRun(.with { $0.runID = started.id })
        #expect(run.status == .failed && run.failure == reason && run.finishedAt > 0)
        #expect(stage.ledger.statuses == [.voided] && stage.ledger.available == 100)
        #expect(stage.messages.all.map(\.category) == ["draft.failed"])
        #expect(try await stage.events().last?.type == "draft.failed")
    }
}
