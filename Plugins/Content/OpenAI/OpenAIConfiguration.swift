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
    var imageModel: String
    var moderationModel: String
    var rerankModel: String
    var speechModel: String
    var transcriptionModel: String
    var videoModel: String
    /// Where a request names none.
    var voice: String
    var imageFormat: ImageFormat
    /// `verbose_json` or `json`.
    var transcriptFormat: String
    var streamUsage: StreamUsage
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

    /// How images are asked to come in the answer itself.
    enum ImageFormat: String, Decodable, Sendable {
        case output = "output_format"
        case response = "response_format"
    }

    /// Whether a stream's usage is asked for.
    enum StreamUsage: String, Decodable, Sendable {
        case include = "include_usage"
        case none
    }

    enum CodingKeys: String, CodingKey {
        case imageModel = "image_model"
        case moderationModel = "moderation_model"
        case rerankModel = "rerank_model"
        case speechModel = "speech_model"
        case transcriptionModel = "transcription_model"
        case videoModel = "video_model"
        case voice
        case imageFormat = "image_format"
        case transcriptFormat = "transcript_format"
        case streamUsage = "stream_usage"
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
