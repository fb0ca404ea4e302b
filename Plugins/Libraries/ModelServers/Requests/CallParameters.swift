// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
public import TheatreContracts
public import TheatrePlugin

/// What the profile that the route chose says of a call.
public struct CallParameters: Decodable, Sendable {
    /// As requests name it.
    public var model: String?
    /// From 0.
    public var temperature: Double?
    /// Of an answer.
    public var maxTokens: UInt32?
    /// From 0 to 1.
    public var topP: Double?
    /// `low`, `medium` or `high`.
    private var reasoning: Effort?

    private enum Effort: String, Decodable { case low, medium, high }

    enum CodingKeys: String, CodingKey {
        case model, temperature, reasoning
        case maxTokens = "max_tokens"
        case topP = "top_p"
    }

    /// Those of a call's profile.
    public init(_ call: Call) throws {
        let text = call.context.parameters
        do {
            self = try JSONDecoder().decode(Self.self, from: Data((text.isEmpty ? "{}" : text).utf8))
        } catch is DecodingError {
            throw ContentError.misconfigured(
                "the profile's model, temperature, max_tokens, top_p or reasoning is of a wrong type.")
        }
    }

    /// The request's wish, else the profile's.
    public func reasoning(_ request: ContentChatRequest) -> ContentReasoning {
        guard request.reasoning == .unspecified else { return request.reasoning }
        return switch reasoning {
        case nil: .unspecified
        case .low: .low
        case .medium: .medium
        case .high: .high
        }
    }
}
