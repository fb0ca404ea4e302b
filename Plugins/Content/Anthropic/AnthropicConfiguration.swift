// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct AnthropicConfiguration: Decodable, Sendable {
    /// Where the API is, with its version.
    var baseURL: String
    var authorization: Authorization
    /// `anthropic-version`.
    var version: String
    var model: String
    /// Of answers to requests and profiles that bound none: the API wants a bound.
    var maxTokens: UInt32
    var documents: Documents
    var thinking: Thinking
    var timeoutMilliseconds: UInt32

    /// Where the key goes.
    enum Authorization: String, Decodable, Sendable {
        case field = "x-api-key"
        case bearer
        case none
    }

    /// How JSON is asked for.
    enum Documents: String, Decodable, Sendable {
        /// By a tool that the model has to call.
        case tool
        /// In words.
        case instruction
    }

    /// Tokens to think with before an answer; 0: it does not think.
    struct Thinking: Decodable, Sendable {
        var low: UInt32
        var medium: UInt32
        var high: UInt32
    }

    enum CodingKeys: String, CodingKey {
        case baseURL = "base_url"
        case authorization, version, model, documents, thinking
        case maxTokens = "max_tokens"
        case timeoutMilliseconds = "timeout_ms"
    }

    /// The URL of a path such as `messages`.
    func url(_ path: String) -> String { baseURL.hasSuffix("/") ? baseURL + path : "\(baseURL)/\(path)" }

    /// Tokens to think with.
    func budget(_ reasoning: ContentReasoning) -> UInt32 {
        switch reasoning {
        case .low: thinking.low
        case .medium: thinking.medium
        case .high: thinking.high
        default: 0
        }
    }
}
