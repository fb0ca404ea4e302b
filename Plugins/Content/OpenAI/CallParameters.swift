// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts
import TheatrePlugin

/// What the profile that the route chose says: model, temperature, max_tokens.
struct CallParameters: Decodable, Sendable {
    var model: String?
    var temperature: Double?
    var maxTokens: UInt32?

    enum CodingKeys: String, CodingKey {
        case model, temperature
        case maxTokens = "max_tokens"
    }

    init(_ call: Call) throws {
        let text = call.context.parameters
        do {
            self = try JSONDecoder().decode(Self.self, from: Data((text.isEmpty ? "{}" : text).utf8))
        } catch is DecodingError {
            throw OpenAIError.misconfigured("the profile's model, temperature or max_tokens is of a wrong type.")
        }
    }
}
