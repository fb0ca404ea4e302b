// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension Knowledge {
    /// How many chunks each order has to choose from.
    private static let candidates = 100

    func search(_ request: KnowledgeSearchRequest, _ call: Call) async throws -> KnowledgeSearchResponse {
        let store = KnowledgeStore(call)
        let project = try Self.project(call)
        let collection = try await store.collection(request.collectionID, in: project)
        guard request.q.unicodeScalars.count <= 1000,
            request.q.unicodeScalars.contains(where: { WrittenKind($0) != .other })
        else { throw KnowledgeError.question() }
        let limit = try Self.limit(request.limit, 10, most: 50)
        let version = try await version(request.versionID, of: collection, project, store)
        let words = try await engine.text(of: store.db).candidates(
            Segmentation.query(request.q), in: version.id, store.db, limit: Self.candidates)
        var response = KnowledgeSearchResponse()
        response.versionID = version.id
        var meanings: [(row: Int, score: Float)] = []
        do {
            meanings = try await nearest(request.q, version, call, store)
        } catch let error as PluginError where error.code != .cancelled && error.code != .deadlineExceeded {
            // Words alone are worth more than no answer; it says so.
            response.degraded = error.reason
        }
        response.textCandidates = UInt32(words.count)
        response.vectorCandidates = UInt32(meanings.count)
        let fused = RankFusion.fuse(text: words.map(\.number), vectors: meanings.map { $0.row + 1 }).prefix(limit)
        let chunks = try await chunks(fused.map(\.number), of: version.id, store)
        response.items = fused.compactMap { place in
            guard let chunk = chunks[place.number] else { return nil }
            var hit = KnowledgeHit(chunk, place)
            if place.textRank > 0 { hit.textScore = words[place.textRank - 1].score }
            if place.vectorRank > 0 { hit.vectorScore = Double(meanings[place.vectorRank - 1].score) }
            return hit
        }
        return response
    }

    func getChunk(_ request: KnowledgeGetChunkRequest, _ call: Call) async throws -> KnowledgeChunk {
        try await KnowledgeStore(call).chunk(request.chunkID, in: Self.project(call))
    }

    private func version(
        _ named: String, of collection: KnowledgeCollection, _ project: String, _ store: KnowledgeStore
    ) async throws -> KnowledgeVersion {
        let id = named.isEmpty ? collection.releasedVersionID : named
        guard !id.isEmpty else { throw KnowledgeError.unreleased() }
        let version = try await store.version(id, in: project)
        guard version.collectionID == collection.id else { throw KnowledgeError.notFound("version") }
        guard let state = version.status.state, state.canBePreviewed else {
            throw KnowledgeError.unindexed(version.status.state?.rawValue ?? "")
        }
        return version
    }

    /// The rows nearest in meaning. The question is embedded by the version's own model, or not compared at all.
    private func nearest(
        _ question: String, _ version: KnowledgeVersion, _ call: Call, _ store: KnowledgeStore
    ) async throws -> [(row: Int, score: Float)] {
        let asked = try await Embedder(call).embed([question], for: .query)
        guard asked.model == version.embedder, asked.dimensions == Int(version.dimensions) else {
            throw KnowledgeError.mixed(version.embedder, asked.model)
        }
        let matrix = try await shelf.matrix(.init(tenant: call.tenant, version: version.id)) {
            try await Self.matrix(of: version, store)
        }
        return matrix.nearest(to: asked.vectors[0], count: Self.candidates)
    }

    /// All vectors of a version as they come from the store: row n is chunk n + 1.
    private static func matrix(of version: KnowledgeVersion, _ store: KnowledgeStore) async throws -> VectorMatrix {
        var matrix = VectorMatrix(dimensions: Int(version.dimensions), capacity: Int(version.vectors))
        let rows = try await store.db.stream(
            "SELECT number, vector FROM {vectors} WHERE tenant = :tenant AND version_id = ?1 ORDER BY number",
            version.id)
        for try await row in rows {
            guard Int(try row.int("number")) == matrix.rows + 1,
                let vector = VectorBytes.decode(try row.blob("vector")),
                matrix.append(vector)
            else { throw KnowledgeError.row("vector") }
        }
        guard matrix.rows == Int(version.vectors) else { throw KnowledgeError.row("vector") }
        return matrix
    }

    private func chunks(
        _ numbers: [Int], of version: String, _ store: KnowledgeStore
    ) async throws -> [Int: KnowledgeChunk] {
        guard !numbers.isEmpty else { return [:] }
        // Whole numbers of our own: at most 50, and a statement takes no list as a parameter.
        let list = numbers.map(String.init).joined(separator: ", ")
        let rows = try await store.db.read(
            "\(KnowledgeStore.chunk) WHERE k.tenant = :tenant AND k.version_id = ?1 AND k.number IN (\(list))", version)
        return Dictionary(
            try rows.map { (Int(try $0.int("number")), try KnowledgeChunk($0)) },
            uniquingKeysWith: { first, _ in first })
    }
}

extension KnowledgeHit {
    init(_ chunk: KnowledgeChunk, _ place: RankFusion.Place) {
        self.init()
        chunkID = chunk.id
        itemID = chunk.itemID
        itemName = chunk.itemName
        headingPath = chunk.headingPath
        start = chunk.start
        end = chunk.end
        text = chunk.text
        score = place.score
        textRank = UInt32(place.textRank)
        vectorRank = UInt32(place.vectorRank)
    }
}
