// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension Drafting {
    func startRun(_ request: StudioStartRunRequest, _ call: Call) async throws -> StudioRun {
        let owner = try Self.owner(call)
        let store = DraftingStore(call)
        let project = try Self.project(call, named: request.projectID)
        let chapter = try await store.chapter(request.chapterID, project: project).chapter
        let id = RunID.of(request, call)
        if let made = try await store.run(id) { return try await answer(made, store) }
        var run = StoredRun(
            id: id, projectID: project, chapterID: chapter.id, owner: owner,
            cost: configuration.cost(ofLength: chapter.length), holdKey: "", title: chapter.title,
            language: chapter.language, createdAt: call.host.now)
        run.holdKey = try await hold(run, call)
        do {
            try await insert(run, store)
        } catch let error as PluginError where error.effect == .none {
            // Nothing was stored: the chips are free at once. Where that fails they free themselves in a day.
            await free(run, call)
            throw error
        }
        return run.message
    }

    func getRun(_ request: StudioGetRunRequest, _ call: Call) async throws -> StudioRun {
        try await DraftingStore(call).run(request.runID, in: Self.project(call)).message
    }

    func cancelRun(_ request: StudioCancelRunRequest, _ call: Call) async throws -> StudioRun {
        let project = try Self.project(call)
        let store = DraftingStore(call)
        for _ in 0..<5 {
            var run = try await store.run(request.runID, in: project)
            let before = run.machine
            if before.status == .canceled { return try await answer(run, store) }
            guard run.machine.cancel() else {
                throw before.step == .done ? DraftingError.ended(before.status) : DraftingError.settling()
            }
            run.finishedAt = call.host.now
            let canceled = run
            do {
                try await store.db.commit { batch in
                    let event = (type: "draft.canceled", data: RunEvent(canceled, step: "canceled"))
                    try RunChange(before: before, after: canceled, event: event).add(
                        to: &batch, at: canceled.finishedAt)
                    try batch.answer(canceled.message)
                }
            } catch let error as PluginError where error.reason == "sql.expectation" {
                continue  // The worker took a step in between.
            }
            // For the person's sake; the worker does it too, and makes sure.
            await free(canceled, call)
            return canceled.message
        }
        throw PluginError(
            .aborted, "drafting.run_moving", "The run moved on while it was being stopped; ask again.", retry: .safe)
    }

    func listScenes(_ request: StudioListScenesRequest, _ call: Call) async throws -> StudioScenes {
        let store = DraftingStore(call)
        let run = try await store.run(request.runID, in: Self.project(call))
        let scenes = try await store.scenes(run.id)
        return .with { $0.items = scenes }
    }

    /// Stores the answer of a request whose work was done before.
    private func answer(_ run: StoredRun, _ store: DraftingStore) async throws -> StudioRun {
        let message = run.message
        try await store.db.commit { try $0.answer(message) }
        return message
    }

    private func insert(_ run: StoredRun, _ store: DraftingStore) async throws {
        try await store.db.commit { batch in
            batch.run(
                """
                INSERT INTO {runs} (tenant, id, project_id, chapter_id, owner, status, step, cost, hold_key, title,
                    language, created_at)
                VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
                """, expect: 1, run.id, run.projectID, run.chapterID, run.owner, run.machine.status.rawValue,
                run.machine.step.rawValue, run.cost, run.holdKey, run.title, run.language, run.createdAt)
            var event = RunEvent(run, step: "requested")
            event.title = run.title
            batch.publish(
                type: "draft.requested", aggregate: run.id, data: try JSONText.write(event), channel: run.channel)
            try batch.answer(run.message)
        }
    }
}
