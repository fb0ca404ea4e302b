// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts

/// What the owner of a run is told at its end.
enum RunMessage {
    static func request(_ run: StoredRun) throws -> NotificationSendRequest {
        let isDone = run.machine.failure == nil
        let isChinese = run.language.hasPrefix("zh")
        let data = try JSONText.write([
            "run_id": run.id, "project_id": run.projectID, "status": isDone ? "SUCCEEDED" : "FAILED",
        ])
        return .with {
            $0.messageID = "draft:\(run.id)"
            $0.user = run.owner
            $0.category = isDone ? "draft.finished" : "draft.failed"
            $0.title = isChinese ? chineseTitle(run, isDone) : englishTitle(run, isDone)
            $0.body = isChinese ? chineseBody(run, isDone) : englishBody(run, isDone)
            $0.data = data
        }
    }

    private static func chineseTitle(_ run: StoredRun, _ isDone: Bool) -> String {
        isDone ? "《\(run.shortTitle)》的分场草稿已完成" : "《\(run.shortTitle)》的分场草稿未能完成"
    }

    private static func chineseBody(_ run: StoredRun, _ isDone: Bool) -> String {
        isDone
            ? "共 \(run.machine.scenes) 场，用去 \(run.cost) 筹码。"
            : "原因：\(run.machine.failure ?? "")。未扣筹码。"
    }

    private static func englishTitle(_ run: StoredRun, _ isDone: Bool) -> String {
        isDone ? "The draft of \(run.shortTitle) is done" : "The draft of \(run.shortTitle) failed"
    }

    private static func englishBody(_ run: StoredRun, _ isDone: Bool) -> String {
        isDone
            ? "\(run.machine.scenes) scenes for \(run.cost) chips."
            : "The reason is \(run.machine.failure ?? ""). Nothing was charged."
    }
}
