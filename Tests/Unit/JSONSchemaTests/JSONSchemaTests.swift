// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import JSONSchema
import Testing
import TheatreManifest

private func parsed(_ json: String) throws -> JSONValue { try JSONValue(json: Data(json.utf8)) }

struct JSONSchemaTests {
    static let server = """
        {"type": "object", "additionalProperties": false, "required": ["port"], "properties": {
          "port": {"type": "integer", "minimum": 1, "maximum": 65535}, "host": {"type": "string", "default": "localhost"},
          "mode": {"enum": ["fast", "safe"], "default": "safe"}, "token": {"type": "integer", "writeOnly": true},
          "tags": {"type": "array", "uniqueItems": true, "items": {"type": "string", "maxLength": 2}},
          "limits": {"type": "object", "default": {}, "properties": {"rate": {"type": "integer", "default": 10}}}}}
        """

    @Test(
        arguments: [
            (#"{"port": "http"}"#, #"/port is "http"; an integer is expected"#),
            (#"{"port": 0}"#, "/port is 0; at least 1 is expected"),
            (#"{}"#, "/port is missing; it is required"),
            (#"{"port": 1, "hots": "x"}"#, #"/hots is unknown; did you mean "host"?"#),
            (#"{"port": 1, "mode": "safer"}"#, #"/mode is "safer"; one of "fast", "safe" ("safe"?) is expected"#),
            (#"{"port": 1, "token": "hunter2"}"#, "/token is a string; an integer is expected"),
            (#"{"port": 1, "tags": ["a", "b", "a"]}"#, "/tags/2 is equal to /tags/0; each element may occur once"),
            (#"{"port": 1, "tags": ["née"]}"#, #"/tags/0 is "née"; a string of at most 2 characters is expected"#),
            ("[]", "the document is an array; an object is expected"),
        ] as [(String, String)])
    func violationsReadAsSentences(_ json: String, _ sentence: String) throws {
        let schema = try JSONSchema(try parsed(Self.server))
        #expect(schema.validate(try parsed(json)).map(\.description) == [sentence])
    }

    @Test func violationsComeInOneOrder() throws {
        let schema = try JSONSchema(try parsed(Self.server))
        let value = try parsed(#"{"z": 1, "a": 2, "host": 3, "mode": 4, "port": true}"#)
        #expect(schema.validate(value).map(\.pointer) == ["/a", "/host", "/mode", "/port", "/z"])
    }

    @Test func defaultsFillMissingMembersAndWhatTheyBring() throws {
        let schema = try JSONSchema(try parsed(Self.server))
        let filled = schema.applyingDefaults(to: try parsed(#"{"port": 1, "mode": "fast"}"#))
        #expect(
            filled == (try parsed(#"{"port": 1, "host": "localhost", "mode": "fast", "limits": {"rate": 10}}"#)))
    }

    @Test func defaultsFollowReferencesAndElements() throws {
        let schema = try JSONSchema(
            try parsed(
                """
                {"properties": {"list": {"items": {"$ref": "#/$defs/node"}}},
                 "$defs": {"node": {"properties": {"n": {"default": 1}, "next": {"$ref": "#/$defs/node"}}}}}
                """))
        let filled = schema.applyingDefaults(to: try parsed(#"{"list": [{}, {"next": {"n": 2}}]}"#))
        #expect(filled == (try parsed(#"{"list": [{"n": 1}, {"n": 1, "next": {"n": 2}}]}"#)))
    }

    @Test(
        arguments: [
            (#"{"maximun": 1}"#, #"/maximun is unknown; did you mean "maximum"?"#),
            (#"{"properties": {"a": {"type": "strin"}}}"#, #"/properties/a/type is "strin"; did you mean "string"?"#),
            (
                ##"{"$ref": "#/$defs/prot", "$defs": {"port": {}}}"##,
                ##"/$ref is "#/$defs/prot", which is not there; did you mean "#/$defs/port"?"##
            ),
            (
                #"{"$ref": "https://example.org/x"}"#,
                "/$ref is \"https://example.org/x\"; a reference within the document, #/$defs/NAME, is expected"
            ),
            (
                ##"{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}}"##,
                "refers to itself without end"
            ),
            (#"{"minLength": -1}"#, "/minLength is an integer; an integer of at least 0 is expected"),
            (#"{"pattern": "("}"#, "which is not a regular expression"),
            (
                #"{"format": "e-mail"}"#,
                #"/format is "e-mail"; one of uri, email, date-time, hostname, ipv4 is expected"#
            ),
            (#"{"items": [{}]}"#, "/items is an array; a schema is expected, and prefixItems for the first elements"),
            (#"{"required": [1]}"#, "/required is an array; an array of strings is expected"),
            ("3", "the schema is an integer; a schema, that is an object or a boolean, is expected"),
        ] as [(String, String)])
    func faultyKeywordsAreRefusedAtLoad(_ json: String, _ part: String) throws {
        let error = #expect(throws: SchemaError.self) { try JSONSchema(try parsed(json)) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test(
        arguments: [
            (#"{"prefixItems": [{"type": "string"}], "items": false}"#, #"["a"]"#, true),
            (#"{"prefixItems": [{"type": "string"}], "items": false}"#, #"["a", 1]"#, false),
            (#"{"dependentRequired": {"a": ["b"]}}"#, #"{"a": 1, "b": 2}"#, true),
            (#"{"dependentRequired": {"a": ["b"]}}"#, #"{"a": 1}"#, false),
            (#"{"contains": {"type": "integer"}, "minContains": 0, "maxContains": 1}"#, "[]", true),
            (#"{"contains": {"type": "integer"}, "maxContains": 1}"#, "[1, 2]", false),
            (##"{"$ref": "#/$defs/a", "maximum": 3, "$defs": {"a": {"type": "integer"}}}"##, "4", false),
            (##"{"$ref": "#/$defs/a", "maximum": 3, "$defs": {"a": {"type": "integer"}}}"##, "2", true),
            (#"{"pattern": "^\\d+$"}"#, #""١""#, false),
            (#"{"maxLength": 1}"#, #""👩‍🚀""#, false),
        ] as [(String, String, Bool)])
    func wordsOfDraft2020Hold(_ schema: String, _ value: String, _ isValid: Bool) throws {
        #expect(try JSONSchema(try parsed(schema)).validate(try parsed(value)).isEmpty == isValid)
    }
}
