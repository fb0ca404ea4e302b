// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What a deployment decides.
struct DraftingConfiguration: Decodable, Sendable {
    /// Chips for each thousand characters begun.
    var pricePerThousand: Int64
    /// Deliveries after which a failure that could pass is final.
    var maxAttempts: Int
    /// Most scenes of a run; what the outline has beyond is left out.
    var maxBeats: Int

    private enum CodingKeys: String, CodingKey {
        case pricePerThousand = "price_per_thousand"
        case maxAttempts = "max_attempts"
        case maxBeats = "max_beats"
    }

    /// What a chapter of that many Unicode scalars costs, in chips; at least 1.
    func cost(ofLength length: Int64) -> Int64 {
        max(1, (length + 999) / 1000 * pricePerThousand)
    }
}
