// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

/// Configuration JSON into a plugin's own type, with errors that point at the key.
enum ConfigurationDecoding {
    static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: UnsafeRawBufferPointer) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: bytes.isEmpty ? Data("{}".utf8) : Data(bytes))
        } catch let error as DecodingError {
            throw refusal(error)
        }
    }

    private static func refusal(_ error: DecodingError) -> PluginError {
        switch error {
        case .keyNotFound(let key, let context):
            fault(context.codingPath + [key], "is missing")
        case .typeMismatch(let expected, let context):
            fault(context.codingPath, "is not of type \(expected)")
        case .valueNotFound(let expected, let context):
            fault(context.codingPath, "is null; a value of type \(expected) is expected")
        case .dataCorrupted(let context):
            fault(context.codingPath, context.debugDescription)
        @unknown default:
            fault([], "cannot be read")
        }
    }

    private static func fault(_ path: [any CodingKey], _ message: String) -> PluginError {
        let pointer = path.map { key in
            "/"
                + (key.intValue.map(String.init)
                    ?? key.stringValue.replacing("~", with: "~0").replacing("/", with: "~1"))
        }
        .joined()
        return .invalid(
            pointer, "plugin.bad_configuration",
            "Configuration \(pointer.isEmpty ? "document" : pointer): \(message).")
    }
}
