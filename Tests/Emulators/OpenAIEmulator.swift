// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A server of the OpenAI API and of what speaks it. It checks requests as the real one does, answers from what it was
/// asked, and has scripted faults.
public final class OpenAIEmulator: Sendable {
    /// What one request meets instead of an ordinary answer.
    public enum Fault: Sendable {
        /// An error by status, type and code, with headers.
        case refusal(Int, type: String, code: String?, headers: [(String, String)])
        /// A gateway's page that is no JSON.
        case brokenGateway(Int)
        /// This text instead of the emulator's own.
        case say(String)
        /// This text, cut by the bound of tokens.
        case tooLong(String)
        /// After so many events of a stream an error takes the place of the rest.
        case streamError(after: Int, code: String)
        /// The connection is cut after so many events of a stream; for a whole answer, instead of it.
        case cut(after: Int)
        /// The stream ends well after so many events, without its end.
        case endEarly(after: Int)
        /// After so many events of a stream comes one that is no JSON.
        case malformed(after: Int)
        /// After so many events of a stream nothing comes any more.
        case stall(after: Int)
        /// What it took is said in numbers that cannot be.
        case wrongUsage
        /// This answer, whatever was asked.
        case answer(Int, String)
        /// The answer, or each part of it, comes so much later.
        case slow(milliseconds: Int64)
    }

    struct State {
        var faults: [Fault] = []
        var requests = 0
        var bodies: [String] = []
    }

    /// How a stream is written.
    public struct Wire: Sendable {
        /// `\n` or `\r\n`.
        public var lineEnd = "\n"
        /// Sizes of the pieces of a stream, taken in turn; empty: one an event.
        public var pieces: [Int] = []
        /// A comment before each event.
        public var hasComments = false

        /// As the real server writes.
        public init() {}

        /// Events as they are sent.
        func cut(_ events: [[UInt8]]) -> [[UInt8]] {
            guard !pieces.isEmpty else { return events }
            var rest = events.flatMap(\.self)[...]
            var result: [[UInt8]] = []
            while !rest.isEmpty {
                let size = max(1, pieces[result.count % pieces.count])
                result.append(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            return result
        }
    }

    let key: String?
    let chatModels: Set<String>
    let embeddingModels: Set<String>
    /// Of all other modalities.
    let otherModels: Set<String>
    /// Jobs of videos.
    let videos = OpenAIVideos()
    let wire: Wire
    private let state = Mutex(State())

    /// A server.
    ///
    /// - Parameter key: nil: none is asked for.
    public init(
        key: String?, chatModels: Set<String> = ["gpt-4o-mini"],
        embeddingModels: Set<String> = ["text-embedding-3-small"],
        otherModels: Set<String> = [
            "gpt-image-1", "dall-e-3", "gpt-4o-mini-tts", "whisper-1", "omni-moderation-latest", "bge-reranker-v2-m3",
            "raw", "sora-2",
        ], wire: Wire = Wire()
    ) {
        self.key = key
        self.chatModels = chatModels
        self.embeddingModels = embeddingModels
        self.otherModels = otherModels
        self.wire = wire
    }

    /// Queues faults, one for each authorized request to come.
    public func script(_ faults: Fault...) { state.withLock { $0.faults += faults } }
    /// How many requests came.
    public var requests: Int { state.withLock { $0.requests } }
    /// How many jobs of videos there are.
    public var videoJobs: Int { videos.count }
    /// Their bodies, in order.
    public var bodies: [String] { state.withLock { $0.bodies } }

    /// A server in front of it.
    public func serve() throws -> EmulatorServer {
        try EmulatorServer { request, exchange in exchange.give(self.respond(to: request)) }
    }

    /// The answer to a request.
    public func respond(to request: EmulatorRequest) -> EmulatorAnswer {
        state.withLock {
            $0.requests += 1
            $0.bodies.append(String(decoding: request.body, as: UTF8.self))
        }
        do {
            try authorize(request)
            let fault = state.withLock { $0.faults.isEmpty ? nil : $0.faults.removeFirst() }
            switch fault {
            case .refusal(let status, let type, let code, let headers):
                throw OpenAIRefusal(status, "The request was refused.", type: type, code: code, headers: headers)
            case .brokenGateway(let status):
                return EmulatorAnswer(status, [("content-type", "text/html")], "<html>upstream</html>")
            case .answer(let status, let body):
                return EmulatorAnswer(status, [("content-type", "application/json")], body)
            default: break
            }
            if request.method == "POST", !request.path.hasPrefix("/v1/audio/trans"),
                request.field("content-type") != "application/json"
            {
                throw OpenAIRefusal(415, "Unsupported content type; send application/json.")
            }
            switch (request.method, request.path) {
            case ("GET", "/v1/models"): return limited(try models())
            case ("POST", "/v1/chat/completions"):
                let asked = try OpenAIChatRequest(request.body, models: chatModels)
                let answer = try OpenAIChat(asked, fault, wire).answer()
                return limited(asked.isStreamed ? answer : Self.spoiled(answer, fault))
            case ("POST", "/v1/embeddings"):
                return limited(
                    Self.spoiled(try OpenAIEmbeddings.answer(request.body, models: embeddingModels, fault), fault))
            default: return limited(Self.spoiled(try other(request), fault))
            }
        } catch let refusal as OpenAIRefusal {
            return refusal.answer
        } catch {
            return EmulatorAnswer(500, [], "the emulator cannot write its answer: \(error)")
        }
    }

    private func other(_ request: EmulatorRequest) throws -> EmulatorAnswer {
        switch (request.method, request.path) {
        case ("POST", "/v1/images/generations"): try OpenAIMedia.images(request.body, models: otherModels)
        case ("POST", "/v1/audio/speech"): try OpenAIMedia.speech(request.body, models: otherModels)
        case ("POST", "/v1/audio/transcriptions"), ("POST", "/v1/audio/translations"):
            try OpenAITranscripts.answer(request, models: otherModels)
        case ("POST", "/v1/moderations"): try OpenAIJudges.moderations(request.body, models: otherModels)
        case ("POST", "/v1/rerank"): try OpenAIJudges.rerank(request.body, models: otherModels)
        case (_, let path) where path == "/v1/videos" || path.hasPrefix("/v1/videos/"):
            try videos.answer(request, models: otherModels)
        default: throw OpenAIRefusal(404, "Invalid URL (\(request.method) \(request.path))")
        }
    }

    /// An answer of another modality as a fault leaves it.
    private static func spoiled(_ answer: EmulatorAnswer, _ fault: Fault?) -> EmulatorAnswer {
        var answer = answer
        switch fault {
        case .cut(let count): answer.cutAfter = count
        case .stall(let count): answer.stallAfter = count
        case .slow(let milliseconds): answer.delay = milliseconds
        case .malformed: answer.parts = [Array("{\"data\": [".utf8)]
        default: break
        }
        return answer
    }

    private func authorize(_ request: EmulatorRequest) throws(OpenAIRefusal) {
        guard let key else { return }
        guard let field = request.field("authorization"), field.hasPrefix("Bearer ") else {
            throw OpenAIRefusal(401, "You didn't provide an API key.")
        }
        guard field.dropFirst(7) == key else {
            throw OpenAIRefusal(401, "Incorrect API key provided.", code: "invalid_api_key")
        }
    }

    private func limited(_ answer: EmulatorAnswer) -> EmulatorAnswer {
        var answer = answer
        answer.headers += [
            ("x-request-id", "req_emulated"), ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "59"), ("x-ratelimit-reset-requests", "1s"),
            ("x-ratelimit-remaining-tokens", "149984"), ("x-ratelimit-reset-tokens", "6m0s"),
        ]
        return answer
    }

    private func models() throws -> EmulatorAnswer {
        let list = chatModels.union(embeddingModels).union(otherModels).sorted().map {
            ["id": $0, "object": "model", "created": 1_700_000_000, "owned_by": "emulator"] as [String: Any]
        }
        return try EmulatorAnswer.json(200, ["object": "list", "data": list])
    }
}

/// `{"error": {"message", "type", "param", "code"}}`.
struct OpenAIRefusal: Error {
    var status: Int
    var message: String
    var type: String
    var param: String?
    var code: String?
    var headers: [(String, String)]

    init(
        _ status: Int, _ message: String, type: String = "invalid_request_error", param: String? = nil,
        code: String? = nil, headers: [(String, String)] = []
    ) {
        self.status = status
        self.message = message
        self.type = type
        self.param = param
        self.code = code
        self.headers = headers
    }

    var object: [String: Any] {
        [
            "error": [
                "message": message, "type": type, "param": param as Any? ?? NSNull(), "code": code as Any? ?? NSNull(),
            ]
        ]
    }

    var answer: EmulatorAnswer {
        do {
            var answer = try EmulatorAnswer.json(status, object)
            answer.headers += headers
            return answer
        } catch {
            return EmulatorAnswer(500, [], "the emulator cannot write its answer: \(error)")
        }
    }
}

extension EmulatorAnswer {
    /// A JSON object with sorted keys.
    static func json(_ status: Int, _ body: [String: Any]) throws -> EmulatorAnswer {
        let bytes = try JSONSerialization.data(withJSONObject: body, options: [.sortedKeys])
        return EmulatorAnswer(status, [("content-type", "application/json")], parts: [Array(bytes)])
    }
}
