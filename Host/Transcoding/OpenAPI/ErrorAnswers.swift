// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

/// The statuses of errors, each described once. Which of them a route may answer follows from its declaration; that no
/// other comes is what the fuzzer of the API holds against the running server.
enum ErrorAnswers {
    private struct Answer {
        let name: String
        let description: String
        /// Header fields that may come with it, beside those of every answer.
        var fields: [String] = []
    }

    private static let answers: [Int: Answer] = [
        400: Answer(name: "BadRequest", description: "The request is malformed, or a value is none that is taken."),
        401: Answer(
            name: "Unauthorized", description: "Nobody is signed in, or what was sent to sign in does not count.",
            fields: ["WWW-Authenticate"]),
        402: Answer(name: "PaymentRequired", description: "The caller has too little of what it costs."),
        403: Answer(
            name: "Forbidden",
            description: "The caller may not; details.decision names what refused it.",
            fields: ["WWW-Authenticate"]),
        404: Answer(name: "NotFound", description: "What the request names is not there for the caller."),
        408: Answer(name: "RequestTimeout", description: "The request did not come in time."),
        409: Answer(
            name: "Conflict",
            description: "It is there already, or the key was used for another request.",
            fields: ["Retry-After"]),
        413: Answer(name: "ContentTooLarge", description: "The body is longer than the route takes."),
        414: Answer(name: "URITooLong", description: "The target is too long."),
        415: Answer(name: "UnsupportedMediaType", description: "The body is compressed; send it as it is."),
        422: Answer(name: "UnprocessableContent", description: "What the request names is in no state for it."),
        423: Answer(name: "Locked", description: "A payment is under way."),
        429: Answer(
            name: "TooManyRequests", description: "Too many requests, tries or things; wait.",
            fields: ["Retry-After", "RateLimit", "RateLimit-Policy"]),
        431: Answer(name: "RequestHeaderFieldsTooLarge", description: "The header fields are too long or too many."),
        500: Answer(
            name: "InternalServerError", description: "It failed; the log has the cause."),
        501: Answer(name: "NotImplemented", description: "What serves this does not do that."),
        503: Answer(
            name: "ServiceUnavailable",
            description: "Not at the moment, or too much is asked.",
            fields: ["Retry-After"]),
        504: Answer(name: "GatewayTimeout", description: "It took too long; details.effect says what is known."),
    ]

    /// Those of every route: a request may be unreadable, come from nobody, be one too many, or fail.
    private static let common = [400, 401, 404, 414, 429, 431, 500, 501, 503, 504]

    /// Of a route whose answers are messages.
    static func statuses(of route: Manifest.Route) -> [Int] {
        let isChange = route.method != "GET"
        var result = common
        if isChange || route.access != "anyone" { result.append(403) }
        if isChange { result += [402, 409, 422, 423] }
        if isChange, route.bodyLimit > 0 { result += [408, 413, 415] }
        return result.sorted()
    }

    /// Refers to the description of a status.
    static func reference(_ status: Int) -> JSONValue {
        .object(["$ref": .string("#/components/responses/\(answers[status]?.name ?? "InternalServerError")")])
    }

    /// All of them, by name.
    static func components(error: JSONValue) -> [String: JSONValue] {
        Dictionary(
            answers.values.map { answer in
                let fields = answer.fields.map { ($0, OperationWriter.field()) } + [OperationWriter.requestID]
                let response: [String: JSONValue] = [
                    "description": .string(answer.description),
                    "headers": .object(Dictionary(fields) { first, _ in first }),
                    "content": .object(["application/json": .object(["schema": error])]),
                ]
                return (answer.name, .object(response))
            }, uniquingKeysWith: { first, _ in first })
    }
}
