// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Registry
public import TheatreManifest
internal import Yams

/// One file of `plugins.d`: its value, and the line each part stands on.
public struct YAMLDocument: Sendable {
    /// Name of the file, for messages.
    public let file: String
    /// The document; an empty file is an empty object.
    public let value: JSONValue
    private let lines: [String: Int]

    /// Parses one document. Only `true` and `false` are booleans and only `null`, `~` and nothing are null, so that `no`
    /// stays the country.
    ///
    /// - Throws: `Fault` with code `declaration.invalid`.
    public init(file: String, text: String) throws(Fault) {
        self.file = file
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw Fault(
                .declarationInvalid, at: Source(file: file, line: Self.line(of: error)),
                "The file is not YAML: \(Self.reason(of: error)).", fix: "Correct the line.")
        }
        var lines: [String: Int] = [:]
        value =
            try root.map { node throws(Fault) in
                try Self.convert(node, at: "", file: file, lines: &lines)
            } ?? .object([:])
        self.lines = lines
    }

    /// Where its values stand, for faults.
    public var map: SourceMap { SourceMap(file: file, lines: lines) }

    private static func convert(
        _ node: Node, at pointer: String, file: String, lines: inout [String: Int]
    ) throws(Fault) -> JSONValue {
        lines[pointer] = node.mark?.line ?? 1
        guard node.anchor == nil else {
            throw Fault(
                .declarationInvalid, at: Source(file: file, line: node.mark?.line ?? 1),
                "A YAML anchor is used; anchors and each alias of one hide what a key is set to.",
                fix: "Write the value out.")
        }
        switch node {
        case .scalar(let scalar):
            return Self.scalar(scalar)
        case .sequence(let sequence):
            var elements: [JSONValue] = []
            for (index, element) in sequence.enumerated() {
                elements.append(try convert(element, at: "\(pointer)/\(index)", file: file, lines: &lines))
            }
            return .array(elements)
        case .mapping(let mapping):
            var members: [String: JSONValue] = [:]
            for (keyNode, element) in mapping {
                let key = keyNode.scalar?.string ?? ""
                let place = "\(pointer)/\(key.replacing("~", with: "~0").replacing("/", with: "~1"))"
                members[key] = try convert(element, at: place, file: file, lines: &lines)
                lines[place] = keyNode.mark?.line ?? lines[place]
            }
            return .object(members)
        case .alias:
            throw Fault(
                .declarationInvalid, at: Source(file: file, line: node.mark?.line ?? 1), "A YAML alias is used.",
                fix: "Write the value out.")
        }
    }

    private static func scalar(_ scalar: Node.Scalar) -> JSONValue {
        guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
        switch scalar.string {
        case "", "~", "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default: break
        }
        guard scalar.string.first != "+" else { return .string(scalar.string) }
        if let integer = Int64(scalar.string) { return .integer(integer) }
        let isNumeric = scalar.string.utf8.allSatisfy { (48...57).contains($0) || ".eE+-".utf8.contains($0) }
        if isNumeric, let number = Double(scalar.string) { return .number(number) }
        return .string(scalar.string)
    }

    private static func line(of error: any Error) -> Int {
        guard let error = error as? YamlError else { return 1 }
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): return mark.line
        case .duplicatedKeysInMapping(_, let context): return context.mark.line
        default: return 1
        }
    }

    private static func reason(of error: any Error) -> String {
        guard let error = error as? YamlError else { return "\(error)" }
        switch error {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _):
            return problem
        case .duplicatedKeysInMapping(let duplicates, _):
            return "the key \(duplicates.map { "\($0)" }.joined(separator: ", ")) stands twice"
        default: return "it cannot be read"
        }
    }
}
