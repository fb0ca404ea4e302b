// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The members of a request's body: each of its kind, none that the server does not know.
struct OpenAIFields {
    /// What a member has to be.
    enum Kind {
        case text, integer, number, texts
        case oneOf(Set<String>)
    }

    let object: [String: Any]

    init(_ body: [UInt8], _ kinds: [String: Kind], required: [String]) throws(OpenAIRefusal) {
        object = try OpenAIChatRequest.object(body)
        for name in object.keys.sorted() {
            guard let kind = kinds[name] else {
                throw OpenAIRefusal(400, "Unrecognized request argument supplied: \(name)", param: name)
            }
            guard Self.holds(object[name] as Any, kind) else {
                throw OpenAIRefusal(400, "Invalid type for '\(name)'.", param: name, code: "invalid_type")
            }
        }
        for name in required where object[name] == nil {
            throw OpenAIRefusal(
                400, "Missing required parameter: '\(name)'.", param: name, code: "missing_required_parameter")
        }
    }

    private static func holds(_ value: Any, _ kind: Kind) -> Bool {
        switch kind {
        case .text: value as? String != nil
        case .integer: (value as? NSNumber).map { $0.doubleValue == $0.doubleValue.rounded() } ?? false
        case .number: value is NSNumber
        case .texts: (value as? [String])?.contains("") == false
        case .oneOf(let allowed): (value as? String).map(allowed.contains) ?? false
        }
    }

    func text(_ name: String) -> String { object[name] as? String ?? "" }
    func integer(_ name: String) -> Int? { (object[name] as? NSNumber)?.intValue }

    /// The model, if the server has it.
    func model(of models: Set<String>) throws(OpenAIRefusal) -> String {
        let model = text("model")
        guard models.contains(model) else {
            throw OpenAIRefusal(404, "The model `\(model)` does not exist.", code: "model_not_found")
        }
        return model
    }
}
