// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreManifest
public import TheatrePlugin

/// The template of a category at a provider that sends only what it approved.
public struct TextTemplate: Decodable, Sendable, Hashable {
    /// Of messages: `auth.code`.
    public var category: String
    /// The provider's id of it.
    public var template: String
    /// Names in a message's data, in the template's order.
    public var parameters: [String]

    /// The values for a message's data, in order.
    ///
    /// - Throws: INVALID_ARGUMENT `notification.missing` at /data.
    public func values(from data: String) throws -> [String] {
        guard !parameters.isEmpty else { return [] }
        let members: [String: JSONValue]
        do {
            guard case .object(let object) = try JSONValue(json: Data(data.utf8)) else {
                throw TextError.missing(parameters.first ?? "")
            }
            members = object
        } catch is ManifestError {
            throw TextError.missing(parameters.first ?? "")
        }
        return try parameters.map { name in
            switch members[name] {
            case .string(let text)? where text.utf8.count <= 200: return text
            case .integer(let number)?: return "\(number)"
            default: throw TextError.missing(name)
            }
        }
    }
}
