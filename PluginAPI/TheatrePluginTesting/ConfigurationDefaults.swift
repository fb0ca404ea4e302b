// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreManifest

/// Fills in what the manifest's schema says of missing keys, as the host does before it creates an instance.
enum ConfigurationDefaults {
    static func fill(_ value: JSONValue, _ schema: JSONValue) -> JSONValue {
        switch value {
        case .object(var members):
            for (key, property) in schema["properties"]?.object ?? [:] {
                if let member = members[key] {
                    members[key] = fill(member, property)
                } else if let fallback = property["default"] {
                    members[key] = fill(fallback, property)
                }
            }
            return .object(members)
        case .array(let elements):
            guard let items = schema["items"] else { return value }
            return .array(elements.map { fill($0, items) })
        default: return value
        }
    }
}
