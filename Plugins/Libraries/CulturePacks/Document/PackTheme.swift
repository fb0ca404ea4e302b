// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What stories of one sort turn on.
struct PackTheme: Decodable, Sendable, Equatable {
    var id: String
    var name: PackText
    var summary: PackText
    var gates: [Gate]
    var evidence: [Evidence]
    var variables: [Variable]

    /// A question put to players.
    struct Gate: Decodable, Sendable, Equatable {
        var id: String
        /// public, fate, fate_major or council.
        var kind: String
        var question: PackText
        var options: [Option]
        /// Ids of the evidence that weighs on it.
        var evidence: [String]
        /// `{option}` stands for the answer.
        var explanation: PackText
    }

    /// An answer.
    struct Option: Decodable, Sendable, Equatable {
        var id: String
        var text: PackText
        /// Variables and by how much they move.
        var changes: [String: Int32]
    }

    /// A sort of thing that players find.
    struct Evidence: Decodable, Sendable, Equatable {
        var id: String
        var name: PackText
        /// document, object, witness or trace.
        var category: String
        /// A to D.
        var tier: String
        /// 0 to 100.
        var forgeability: UInt32
        /// 0: for ever.
        var hours: UInt32
        var verified: PackText
    }

    /// A number that choices move.
    struct Variable: Decodable, Sendable, Equatable {
        var id: String
        var name: PackText
        var meaning: PackText
        var least: Int32
        var most: Int32
        var start: Int32
        var step: Int32
    }
}
