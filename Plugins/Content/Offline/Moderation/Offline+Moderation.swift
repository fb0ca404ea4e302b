// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension Offline {
    /// As it names itself.
    static let moderationModel = "offline-phrases-1"

    func classify(_ request: ContentClassifyRequest, _ call: Call) async throws -> ContentClassifyResponse {
        guard request.images.isEmpty else { throw OfflineError.unsupported("/images", "it judges texts only") }
        guard (1...100).contains(request.texts.count) else {
            throw OfflineError.countOf("/texts", request.texts.count, 1...100)
        }
        var scalars = 0
        for (index, text) in request.texts.enumerated() {
            scalars += text.unicodeScalars.count
            guard scalars <= OfflineChat.longestInput else { throw OfflineError.tooLong("/texts/\(index)") }
        }
        let tokens = request.texts.reduce(0) { $0 + TokenCount.estimate($1) }
        return .with {
            $0.items = request.texts.map { text in
                let scores = moderator.judge(text)
                return .with {
                    $0.isFlagged = scores.contains(where: \.isFlagged)
                    $0.categories = scores.map { score in
                        .with {
                            $0.category = score.category
                            $0.score = score.value
                            $0.isFlagged = score.isFlagged
                        }
                    }
                }
            }
            $0.usage.inputTokens = Int64(tokens)
            $0.usage.estimated = true
            $0.model = Self.moderationModel
        }
    }
}
