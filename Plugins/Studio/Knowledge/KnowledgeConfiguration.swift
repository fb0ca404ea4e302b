// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What a deployment decides.
struct KnowledgeConfiguration: Decodable, Sendable {
    /// Largest chunk, in tokens.
    var chunkTokens: Int
    /// How much a chunk repeats of the one before, at most, in tokens.
    var overlapTokens: Int
    /// Vectors kept in memory, in megabytes.
    var cacheMegabytes: Int

    private enum CodingKeys: String, CodingKey {
        case chunkTokens = "chunk_tokens"
        case overlapTokens = "overlap_tokens"
        case cacheMegabytes = "cache_mb"
    }
}
