// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension Offline {
    /// As it names itself.
    static let rankModel = "offline-bm25-1"

    func rank(_ request: ContentRankRequest, _ call: Call) async throws -> ContentRankResponse {
        guard !request.query.isEmpty else { throw OfflineError.emptyText("/query") }
        guard (1...1000).contains(request.documents.count) else {
            throw OfflineError.countOf("/documents", request.documents.count, 1...1000)
        }
        let scalars = request.documents.reduce(request.query.unicodeScalars.count) { $0 + $1.unicodeScalars.count }
        guard scalars <= OfflineChat.longestInput else { throw OfflineError.tooLong("/documents") }
        let scores = BM25(request.documents).scores(request.query)
        let order = scores.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }
        let wanted = request.top == 0 ? order.count : min(Int(request.top), order.count)
        let tokens = request.documents.reduce(TokenCount.estimate(request.query)) { $0 + TokenCount.estimate($1) }
        return .with {
            $0.items = order.prefix(wanted).map { index in
                .with { ($0.index, $0.score) = (UInt32(index), scores[index]) }
            }
            $0.usage.documents = Int64(request.documents.count)
            $0.usage.inputTokens = Int64(tokens)
            $0.usage.estimated = true
            $0.model = Self.rankModel
        }
    }
}
