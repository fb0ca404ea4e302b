// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// One step of a run, stored with its event in one transaction, if the run still stands where the step began.
struct RunChange {
    let before: RunMachine
    var after: StoredRun
    /// Type and what it tells.
    var event: (type: String, data: RunEvent)?
    var vectors: [(model: String, vector: ContentVector)] = []
    var scene: StudioScene?

    /// Adds everything to `batch`; ABORTED `sql.expectation` at the commit where the run went elsewhere.
    func add(to batch: inout Batch, at now: Int64) throws {
        let machine = after.machine
        let outline = try after.outline.map { try $0.jsonString() }
        let findings =
            try machine.step == .scenes && machine.scenes == 0
            ? CultureFinding.jsonString(from: after.findings) : nil as String?
        let ended: Int64? = machine.status == .queued || machine.status == .running ? nil : now
        batch.run(
            """
            UPDATE {runs} SET status = ?2, step = ?3, beats = ?4, scenes = ?5, progress = ?6, failure = ?7,
                outline = COALESCE(?8, outline), findings = COALESCE(?9, findings),
                finished_at = COALESCE(finished_at, ?10)
            WHERE tenant = :tenant AND id = ?1 AND status = ?11 AND step = ?12 AND scenes = ?13
            """,
            expect: 1, after.id, machine.status.rawValue, machine.step.rawValue, machine.beats, machine.scenes,
            machine.progress, machine.failure, outline, findings, ended, before.status.rawValue, before.step.rawValue,
            before.scenes)
        try addRows(to: &batch, at: now)
        if let event {
            batch.publish(
                type: event.type, aggregate: after.id, data: try JSONText.write(event.data), channel: after.channel)
        }
    }

    private func addRows(to batch: inout Batch, at now: Int64) throws {
        for (index, entry) in vectors.enumerated() {
            batch.run(
                """
                INSERT INTO {vectors} (tenant, run_id, number, model, vector) VALUES (:tenant, ?1, ?2, ?3, ?4)
                """, expect: 1, after.id, index + 1, entry.model, try entry.vector.serializedBytes() as Data)
        }
        guard let scene else { return }
        let place: String? = scene.place.isEmpty ? nil : scene.place
        let stage: String? = scene.stage.isEmpty ? nil : scene.stage
        batch.run(
            """
            INSERT INTO {scenes} (tenant, id, run_id, number, title, summary, quote, characters, place, stage, prompt,
                findings, "similar", created_at)
            VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
            """,
            expect: 1, scene.id, after.id, scene.number, scene.title, scene.summary, scene.quote,
            try JSONText.write(scene.characters), place, stage, scene.prompt,
            try CultureFinding.jsonString(from: scene.findings), try JSONText.write(scene.similar), now)
    }
}
