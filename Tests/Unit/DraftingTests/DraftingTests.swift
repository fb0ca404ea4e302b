// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Drafting

/// The plugin as its callers see it.
struct DraftingTests {
    @Test func aRunDraftsTheSampleChapter() async throws {
        let stage = try await Stage()
        let request = try await stage.prepare()
        let started = try await stage.client(key: "k1").startRun(request)
        #expect(started.status == .queued && started.id.hasPrefix("run_") && started.id.count == 30)
        let length = Int64(try Stage.chapterText().unicodeScalars.count)
        #expect(started.cost.amount == (length + 999) / 1000 * 3 && started.cost.currency == "CHIP")
        #expect(stage.ledger.statuses == [.held])

        #expect(try await stage.pump(started.id) == 1)

        let run = try await stage.client().getRun(.with { $0.runID = started.id })
        #expect(run.status == .succeeded && run.progress == 100 && run.finishedAt > 0 && run.failure.isEmpty)
        #expect(run.hasOutline && run.outline.beats.count >= 5)
        let scenes = try await stage.client().listScenes(.with { $0.runID = started.id }).items
        #expect(scenes.map(\.number) == run.outline.beats.map(\.number))
        #expect(scenes.map(\.title) == run.outline.beats.map(\.title))
        #expect(
            scenes.flatMap(\.findings).map(\.code)
                == ["anachronism.chili", "anachronism.banknote", "anachronism.glass_window"])
        for scene in scenes {
            #expect(scene.similar.count <= 3 && !scene.similar.contains(scene.number))
            #expect(Set(scene.similar).count == scene.similar.count)
            #expect(scene.prompt.hasPrefix(scene.title) && scene.prompt.count > scene.summary.count)
        }
        #expect(scenes.contains { !$0.stage.isEmpty } && scenes.contains { !$0.similar.isEmpty })
        #expect(stage.ledger.statuses == [.settled] && stage.ledger.settles == 1)
        #expect(stage.ledger.available == 100 - run.cost.amount)
    }

    @Test func eventsTellOfEachStepInOrder() async throws {
        let stage = try await Stage()
        let started = try await stage.client().startRun(stage.prepare())
        try await stage.pump(started.id)
        let events = try await stage.events().filter { $0.aggregate == started.id }
        let scenes = try await stage.client().listScenes(.with { $0.runID = started.id }).items.count
        #expect(
            events.map(\.type)
                == ["draft.requested", "draft.started", "draft.outlined", "draft.culture_checked"]
                + Array(repeating: "draft.scene_written", count: scenes) + ["draft.succeeded"])
        #expect(events.allSatisfy { $0.channel == "user:usr_1" })
        struct Data: Decodable { let progress: Int; let step: String; let number: Int? }
        let data = try events.map { try JSONText.read(Data.self, $0.data) }
        #expect(data.map(\.progress) == data.map(\.progress).sorted() && data.last?.progress == 100)
        #expect(data.compactMap(\.number) == Array(1...scenes))
        let message = try #require(stage.messages.all.first)
        #expect(stage.messages.all.count == 1 && message.user == "usr_1" && message.messageID == "draft:\(started.id)")
        #expect(try JSONText.read([String: String].self, message.data)["run_id"] == started.id)
        #expect(message.category == "draft.finished" && message.title.contains("灯下无影"))
    }

    @Test func chipsAndMessageComeBeforeTheEventThatTellsTheEnd() async throws {
        let stage = try await Stage()
        let started = try await stage.client().startRun(stage.prepare())
        let lost = PluginError(.unavailable, "sql.busy", "Busy.")
        stage.faults.fail("commit draft.succeeded", times: 3, with: lost)
        #expect(try await stage.pump(started.id, attempts: 3) == 0)
        #expect(stage.ledger.statuses == [.settled] && stage.messages.all.count == 1)
        #expect(try await stage.events().contains { $0.type == "draft.succeeded" } == false)
        #expect(try await stage.client().getRun(.with { $0.runID = started.id }).status == .running)
        try await stage.pump(started.id)
        #expect(try await stage.client().getRun(.with { $0.runID = started.id }).status == .succeeded)
        #expect(stage.ledger.settles == 1)
    }

    @Test func theSameRequestHoldsOnce() async throws {
        let stage = try await Stage()
        let request = try await stage.prepare()
        let lost = PluginError(.unavailable, "call.lost", "The answer was lost.", effect: .unknown)
        stage.faults.fail("commit draft.requested", with: lost)
        await #expect(throws: PluginError.self) { try await stage.client(key: "k").startRun(request) }
        #expect(stage.ledger.statuses == [.held])
        let started = try await stage.client(key: "k").startRun(request)
        #expect(stage.ledger.statuses == [.held])
        let again = try await stage.client(key: "k").startRun(request)
        #expect(again == started)
        let other = try await stage.client(key: "l").startRun(request)
        #expect(other.id != started.id && stage.ledger.holds.count == 2)
    }

    @Test func aRunThatCouldNotBeStoredFreesItsChips() async throws {
        let stage = try await Stage()
        let request = try await stage.prepare()
        stage.faults.fail("commit draft.requested", with: PluginError(.resourceExhausted, "sql.full", "Full."))
        await refused("sql.full") { try await stage.client(key: "k").startRun(request) }
        #expect(stage.ledger.statuses == [.voided] && stage.ledger.available == 100)
        let started = try await stage.client(key: "k").startRun(request)
        try await stage.pump(started.id)
        #expect(stage.ledger.settles == 1 && stage.ledger.available == 100 - started.cost.amount)
    }

    @Test func tooFewChipsAreRefused() async throws {
        let stage = try await Stage(chips: 2)
        let request = try await stage.prepare()
        await refused("drafting.insufficient_chips", .failedPrecondition) {
            try await stage.client().startRun(request)
        }
        #expect(stage.ledger.holds.isEmpty)
        #expect(try await stage.events().isEmpty)
    }

    @Test func anotherProjectFindsNothing() async throws {
        let stage = try await Stage()
        let request = try await stage.prepare()
        let run = try await stage.client().startRun(request)
        for client in [stage.client(project: "prj_2"), stage.client(tenant: "other"), stage.client(project: "")] {
            await refused("drafting.not_found") { try await client.startRun(request) }
            await refused("drafting.not_found") { try await client.getRun(.with { $0.runID = run.id }) }
            await refused("drafting.not_found") { try await client.cancelRun(.with { $0.runID = run.id }) }
            await refused("drafting.not_found") { try await client.listScenes(.with { $0.runID = run.id }) }
        }
        await refused("drafting.not_found") {
            try await stage.client(project: "prj_2").addChapter(
                .with {
                    $0.projectID = Stage.project; $0.title = "x"; $0.text = "x"
                })
        }
        await refused("drafting.no_principal") { try await stage.client("").startRun(request) }
        // Whoever else belongs to the project sees what is in it.
        #expect(try await stage.client("usr_2").getRun(.with { $0.runID = run.id }).id == run.id)
        #expect(stage.ledger.holds.count == 1)
    }

    @Test func aRowKnowsItsProject() async throws {
        let stage = try await Stage()
        let run = try await stage.client(project: "prj_1").startRun(stage.prepare())
        stage.host.route("scopes", to: "drafting", capability: "theatre.access.v1.Scopes")
        func scopes(_ tenant: String) -> AccessScopesClient {
            AccessScopesClient(stage.host.scope(tenant: tenant), feature: "scopes")
        }
        let asked = AccessResolveProjectRequest.with {
            $0.parameter = "run_id"; $0.id = run.id
        }
        #expect(try await scopes("default").resolveProject(asked).project == "prj_1")
        await refused("drafting.not_found", .notFound) { try await scopes("other").resolveProject(asked) }
        await refused("drafting.not_found", .notFound) {
            try await scopes("default").resolveProject(
                .with {
                    $0.parameter = "chapter_id"; $0.id = run.id
                })
        }
    }

    @Test(arguments: ["", "  \n", String(repeating: "字", count: 100_001)])
    func aTextOutOfBoundsIsRefused(_ text: String) async throws {
        let stage = try await Stage()
        await refused("drafting.bad_text", .invalidArgument) {
            try await stage.client().addChapter(
                .with {
                    $0.projectID = Stage.project; $0.title = "T"; $0.text = text
                })
        }
    }
}

/// Expects a refusal by its reason.
func refused<T>(_ reason: String, _ code: PluginError.Code? = nil, _ body: () async throws -> T) async {
    do {
        _ = try await body()
        Issue.record("\(reason) was expected.")
    } catch let error as PluginError {
        #expect(error.reason == reason)
        if let code { #expect(error.code == code) }
    } catch {
        Issue.record(error)
    }
}
