// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct OpenAIConfiguration: Decodable, Sendable {
    /// Where the API is, with its version.
    var baseURL: String
    /// `bearer` or `none`.
    var authorization: String
    /// Empty: none.
    var organization: String
    var model: String
    var embeddingModel: String
    /// `max_completion_tokens` or `max_tokens`.
    var maxTokensField: String
    var responseFormat: ResponseFormat
    var reasoning: Reasoning
    /// `base64` or `float`.
    var encodingFormat: String
    var timeoutMilliseconds: UInt32

    /// How far the server can hold an answer to JSON.
    enum ResponseFormat: String, Decodable, Sendable {
        case schema = "json_schema"
        case object = "json_object"
        case none
    }

    /// Whether the model is told how much to think.
    enum Reasoning: String, Decodable, Sendable {
        case effort = "reasoning_effort"
        case none
    }

    enum CodingKeys: String, CodingKey {
        case baseURL = "base_url"
        case authorization, organization, model, reasoning
        case embeddingModel = "embedding_model"
        case maxTokensField = "max_tokens_field"
        case responseFormat = "response_format"
        case encodingFormat = "encoding_format"
        case timeoutMilliseconds = "timeout_ms"
    }

    /// The URL of a path such as `chat/completions`.
    func url(_ path: String) -> String { baseURL.hasSuffix("/") ? baseURL + path : "\(baseURL)/\(path)" }
}
