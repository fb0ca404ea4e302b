// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What an event of a run tells a client; keys without a value are left out.
struct RunEvent: Encodable, Sendable {
    var progress: Int
    var step: String
    var runID: String
    var projectID: String
    var chapterID: String
    var title: String?
    var number: Int?
    var scenes: Int?
    var findings: Int?
    var failure: String?

    private enum CodingKeys: String, CodingKey {
        case progress, step, title, number, scenes, findings, failure
        case runID = "run_id"
        case projectID = "project_id"
        case chapterID = "chapter_id"
    }

    init(_ run: StoredRun, step: String) {
        progress = run.machine.progress
        self.step = step
        runID = run.id
        projectID = run.projectID
        chapterID = run.chapterID
    }
}
