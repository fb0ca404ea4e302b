// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What a text is judged to be.
struct Judgement: Equatable {
    /// A rule broken.
    struct Finding: Equatable {
        /// Which of the pack's rules.
        var rule: Int
        var quote: String
        /// In Unicode scalars.
        var range: Range<Int>
    }

    var findings: [Finding] = []
    /// Words of the setting and how often they stand.
    var vocabulary: [String: Int] = [:]
    /// Ids of stages, best first.
    var stages: [String] = []
}
