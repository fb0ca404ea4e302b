// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// A run as it stands in its row.
struct StoredRun: Sendable {
    var id: String
    var projectID: String
    var chapterID: String
    /// From the project's row when the run was made, never from a request.
    var owner: String
    var machine = RunMachine()
    /// Chips.
    var cost: Int64
    /// Of the ledger's hold.
    var holdKey: String
    /// The chapter's.
    var title: String
    /// The project's.
    var language: String
    var outline: ContentOutline?
    /// Of the whole chapter.
    var findings: [CultureFinding] = []
    var createdAt: Int64
    var finishedAt: Int64 = 0

    /// Columns that `init(_:)` reads.
    static let columns = """
        id, project_id, chapter_id, owner, status, step, beats, scenes, cost, hold_key, title, language, failure,         outline, findings, created_at, finished_at
        """

    /// The title as others take it: one line, at most 80 characters.
    var shortTitle: String {
        let line = title.unicodeScalars.map { $0.properties.isWhitespace || $0.value < 32 ? " " : Character($0) }
        return line.count > 80 ? String(line.prefix(79)) + "…" : String(line)
    }

    /// Where its events are seen.
    var channel: String { "user:\(owner)" }

    /// As clients see it.
    var message: StudioRun {
        .with {
            $0.id = id
            $0.projectID = projectID
            $0.chapterID = chapterID
            $0.status = machine.status.message
            $0.progress = UInt32(clamping: machine.progress)
            $0.cost.amount = cost
            $0.cost.currency = "CHIP"
            if machine.status == .failed { $0.failure = machine.failure ?? "" }
            $0.createdAt = createdAt
            $0.finishedAt = finishedAt
            if let outline { $0.outline = outline }
        }
    }
}

extension StoredRun {
    init(_ row: Row) throws {
        id = try row.text("id")
        projectID = try row.text("project_id")
        chapterID = try row.text("chapter_id")
        owner = try row.text("owner")
        cost = try row.int("cost")
        holdKey = try row.text("hold_key")
        title = try row.text("title")
        language = try row.text("language")
        createdAt = try row.int("created_at")
        finishedAt = try row.optionalInt("finished_at") ?? 0
        outline = try row.optionalText("outline").map { try ContentOutline(jsonString: $0) }
        findings = try row.optionalText("findings").map { try CultureFinding.array(fromJSONString: $0) } ?? []
        guard let status = RunMachine.Status(rawValue: try row.text("status")),
            let step = RunMachine.Step(rawValue: try row.text("step"))
        else {
            throw PluginError(.dataLoss, "drafting.bad_row", "The row of run \(id) has an unknown status or step.")
        }
        machine = RunMachine(
            status: status, step: step, beats: Int(try row.int("beats")), scenes: Int(try row.int("scenes")),
            failure: try row.optionalText("failure"))
    }
}

extension RunMachine.Status {
    /// As in the contract.
    var message: StudioRunStatus {
        switch self {
        case .queued: .queued
        case .running: .running
        case .succeeded: .succeeded
        case .failed: .failed
        case .canceled: .canceled
        }
    }
}
