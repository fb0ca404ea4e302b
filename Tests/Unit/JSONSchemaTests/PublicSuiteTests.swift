// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import JSONSchema
import Testing
import TheatreManifest

/// The public suite, Debian package json-schema-test-suite, whose newest draft is 7.
struct PublicSuiteTests {
    static let folder = "/usr/share/json-schema-test-suite/tests/draft7"
    static let formats = [
        "optional/format/date-time", "optional/format/email", "optional/format/hostname", "optional/format/ipv4",
        "optional/format/uri",
    ]
    static let files =
        [
            "additionalItems", "additionalProperties", "allOf", "anyOf", "boolean_schema", "const", "contains",
            "default",
            "definitions", "dependencies", "enum", "exclusiveMaximum", "exclusiveMinimum", "if-then-else", "items",
            "maxItems",
            "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum", "multipleOf",
            "not",
            "oneOf", "pattern", "patternProperties", "properties", "propertyNames", "ref", "required", "type",
            "uniqueItems",
        ] + formats

    /// Whole files left out: refRemote, because references leave the document.
    static let skippedGroups: [String: String] = [
        "additionalItems: items is schema, no additionalItems":
            "additionalItems beside a schema does not exist in 2020-12",
        "ref: ref overrides any sibling keywords": "siblings of $ref count in 2020-12",
        "ref: remote ref, containing refs itself": "refers to a schema outside the document",
        "definitions: valid definition": "refers to a schema outside the document",
        "definitions: invalid definition": "refers to a schema outside the document",
        "definitions: validate definition against metaschema": "refers to a schema outside the document",
        "ref: Recursive references between schemas": "refers by $id",
        "ref: Location-independent identifier": "refers by $id",
        "ref: Location-independent identifier with absolute URI": "refers by $id",
        "ref: Location-independent identifier with base URI change in subschema": "refers by $id",
        "ref: escaped pointer ref": "keeps schemas under keywords that do not exist, which are refused",
    ]
    @Test(arguments: files)
    func everyCaseOfTheFileHolds(_ file: String) throws {
        let json = try Data(contentsOf: URL(filePath: "\(Self.folder)/\(file).json"))
        let groups = try #require(JSONValue(json: json).array)
        var run = 0
        for group in groups {
            let name = "\(file): \(try #require(group["description"]?.string))"
            if Self.skippedGroups[name] != nil { continue }
            let schema: JSONSchema
            do {
                schema = try JSONSchema(modernized(try #require(group["schema"])))
            } catch {
                Issue.record("\(name): \(error)")
                continue
            }
            for test in try #require(group["tests"]?.array) {
                let title = "\(name): \(test["description"]?.string ?? "")"
                let violations = schema.validate(try #require(test["data"]))
                #expect(violations.isEmpty == test["valid"]?.bool, "\(title): \(violations)")
                run += 1
            }
        }
        #expect(run > 0 || file == "definitions")
    }
}
