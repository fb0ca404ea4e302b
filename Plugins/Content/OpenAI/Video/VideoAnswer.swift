// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import SwiftProtobuf
import TheatreContracts
import TheatreManifest

/// An answer that describes a job of `videos`.
enum VideoAnswer {
    /// The job.
    static func job(_ answer: HostFetchResponse) throws -> ContentVideoJob {
        guard let value = JSONText.object(String(decoding: answer.body, as: UTF8.self)), let id = value["id"]?.string,
            isID(id), let state = states[value["status"]?.string ?? ""]
        else { throw ContentError.badAnswer("it is no job of a video") }
        let error = value["error"]
        return .with {
            $0.jobID = id
            $0.state = state
            $0.progress.percent = UInt32(min(100, max(0, value["progress"]?.real ?? (state == .ready ? 100 : 0))))
            $0.model = value["model"]?.string ?? ""
            $0.expiresAt = (value["expires_at"]?.integer).map { min(max(0, $0), 1 << 40) * 1000 } ?? 0
            if state == .failed {
                let code = error?["code"]?.string ?? ""
                $0.reason =
                    code.contains("policy") || code.contains("moderation") ? "content.refused" : "content.unavailable"
                $0.message = String((error?["message"]?.string ?? "The server does not say why.").prefix(300))
            }
            if state == .ready {
                let text = value["seconds"]?.string.flatMap(Double.init) ?? value["seconds"]?.real
                $0.usage.videoMs = Int64(min(86_400, max(0, text ?? 0)) * 1000)
                $0.usage.estimated = text == nil
            }
        }
    }

    /// Whether a text can be a job's id, and stand in a path.
    static func isID(_ text: String) -> Bool { text.wholeMatch(of: #/[A-Za-z0-9_-]{1,200}/#) != nil }

    private static let states: [String: ContentVideoState] = [
        "queued": .queued, "in_progress": .running, "completed": .ready, "failed": .failed,
    ]
}
