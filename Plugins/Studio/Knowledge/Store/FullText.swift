// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Full text of an engine, over tokens that are ours: FTS5 with BM25 on SQLite, a tsvector and its rank on PostgreSQL.
enum FullText: String, Sendable, CaseIterable {
    case sqlite, postgresql

    /// Stores what a chunk is found by.
    func add(_ text: some Sequence<Unicode.Scalar>, number: Int, of version: String, to batch: inout Batch) {
        let tokens = Segmentation.tokens(of: text)
        switch self {
        case .sqlite:
            batch.run(
                """
                /* engine: sqlite */ INSERT INTO {words} (tenant, number, version, body) VALUES (:tenant, ?1, ?2, ?3)
                """, expect: 1, number, Self.word(version), tokens.joined(separator: " "))
        case .postgresql:
            batch.run(
                """
                /* engine: postgresql */ INSERT INTO {words} (tenant, version_id, number, body)
                VALUES (:tenant, ?1, ?2, CAST(?3 AS tsvector))
                """, expect: 1, version, number, Self.vector(tokens))
        }
    }

    /// The chunks of a version that have any of the words, best first, with what they are given.
    func candidates(
        _ tokens: [Segmentation.Token], in version: String, _ database: Database, limit: Int
    ) async throws -> [(number: Int, score: Double)] {
        guard !tokens.isEmpty else { return [] }
        let rows =
            switch self {
            case .sqlite:
                try await database.read(
                    """
                    /* engine: sqlite */ SELECT number, -bm25({words}, 0.0, 0.0, 0.0, 1.0) AS score FROM {words}
                    WHERE {words} MATCH ?1 AND tenant = :tenant ORDER BY score DESC, number LIMIT ?2
                    """, Self.match(tokens, version), limit)
            case .postgresql:
                try await database.read(
                    """
                    /* engine: postgresql */ SELECT number,
                        CAST(ts_rank(body, CAST(?2 AS tsquery)) AS DOUBLE PRECISION) AS score FROM {words}
                    WHERE tenant = :tenant AND version_id = ?1 AND body @@ CAST(?2 AS tsquery)
                    ORDER BY score DESC, number LIMIT ?3
                    """, version, Self.query(tokens), limit)
            }
        return try rows.map { (Int(try $0.int("number")), try $0.real("score")) }
    }

    /// An id as one token: letters and digits.
    static func word(_ id: String) -> String { id.lowercased().filter { $0 != "_" } }

    /// In FTS5's language. Tokens have no quotation mark in them.
    static func match(_ tokens: [Segmentation.Token], _ version: String) -> String {
        let words = tokens.map { "\"\($0.text)\"\($0.isPrefix ? " *" : "")" }.joined(separator: " OR ")
        return "version : \"\(word(version))\" AND body : (\(words))"
    }

    /// In PostgreSQL's.
    static func query(_ tokens: [Segmentation.Token]) -> String {
        tokens.map { "'\($0.text)'\($0.isPrefix ? ":*" : "")" }.joined(separator: " | ")
    }

    /// A tsvector as text: each token with its places, of which PostgreSQL keeps 255 below 16,384.
    static func vector(_ tokens: [String]) -> String {
        var places: [String: [Int]] = [:]
        for (index, token) in tokens.enumerated() where places[token, default: []].count < 255 {
            places[token, default: []].append(min(index + 1, 16_383))
        }
        return places.sorted { $0.key < $1.key }
            .map { "'\($0.key)':\($0.value.map(String.init).joined(separator: ","))" }.joined(separator: " ")
    }
}
