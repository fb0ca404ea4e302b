// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreManifest

/// A compiled schema of a closed and listed subset of JSON Schema 2020-12.
///
/// Asserted: `type enum const`, `properties required additionalProperties patternProperties propertyNames minProperties
/// maxProperties dependentRequired dependentSchemas`, `items prefixItems contains minContains maxContains minItems maxItems
/// uniqueItems`, `minLength maxLength` (Unicode scalars) `pattern`, `minimum maximum exclusiveMinimum exclusiveMaximum
/// multipleOf`, `anyOf oneOf allOf not if then else`, `$ref` within the document, `format` for `uri email date-time
/// hostname ipv4`. Annotations: `title description default examples deprecated readOnly $schema $id $comment $defs` and
/// `writeOnly`, which keeps a value out of violations. Any other keyword or format is a fault when the schema is loaded.
///
/// `pattern` is what Swift's `Regex` reads, on Unicode scalars with ASCII `\d` and `\w`: anchors, classes, groups,
/// alternatives, counted repetition and look-around behave as in ECMA-262; `\cX` and ECMA's sticky matching do not exist.
/// Numbers follow JSON: 1.0 is an integer and equals 1.
public struct JSONSchema: Sendable {
    let nodes: [SchemaNode]

    /// Compiles a schema.
    ///
    /// - Throws: `SchemaError` with every fault.
    public init(_ schema: JSONValue) throws {
        var compiler = SchemaCompiler(root: schema)
        _ = compiler.node(at: "", schema)
        compiler.refuseEndlessReferences()
        guard compiler.faults.isEmpty else {
            throw SchemaError(faults: compiler.faults.sorted { ($0.pointer, $0.message) < ($1.pointer, $1.message) })
        }
        nodes = compiler.nodes
    }

    /// The ways in which a value fails, in document order of sorted member names; empty where it conforms.
    public func validate(_ value: JSONValue) -> [Violation] {
        var validator = Validator(nodes: nodes)
        return validator.violations(of: value, node: 0, at: "")
    }

    /// The value with the `default` of each missing object property, also in what those defaults bring and in array
    /// elements. Follows `properties`, `items`, `prefixItems`, `additionalProperties`, `$ref` and `allOf`, not alternatives.
    public func applyingDefaults(to value: JSONValue) -> JSONValue {
        nodes[0].applyingDefaults(to: value, nodes)
    }
}
