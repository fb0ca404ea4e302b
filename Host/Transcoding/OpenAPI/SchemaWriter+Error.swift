// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

extension SchemaWriter {
    /// The error object of every route.
    var error: JSONValue {
        mutating get {
            let details = Self.object(
                "What programs decide by.",
                [
                    "reason": Self.text("The stable reason code, such as ledger.insufficient_funds."),
                    "effect": .object([
                        "type": .string("string"),
                        "enum": .array(["none", "unknown", "applied"].map(JSONValue.string)),
                        "description": .string("Whether the request changed anything all the same."),
                    ]),
                    "pointer": Self.text("JSON Pointer of the field at fault, or empty."),
                    "decision": Self.text("Names the decision that refused it, where one was made."),
                ], required: ["reason", "effect", "pointer"])
            finish(
                "Error",
                Self.object(
                    "What went wrong, and whether to try again.",
                    [
                        "error_code": Self.text("Domain and class for people, such as LEDGER-FUNDS-001."),
                        "message": Self.text("One sentence with the reason and the fix; never a secret."),
                        "retryable": .object([
                            "type": .string("boolean"),
                            "description": .string("Whether the same request may succeed later."),
                        ]),
                        "owner_module": Self.text("Instance that refused or failed, or gateway."),
                        "trace_id": Self.text("Trace of the request, 32 hexadecimal digits."),
                        "correlation_id": Self.text("Id of the request, as in x-request-id and in the log."),
                        "details": details,
                    ],
                    required: [
                        "error_code", "message", "retryable", "owner_module", "trace_id", "correlation_id", "details",
                    ]))
            return .object(["$ref": .string("#/components/schemas/Error")])
        }
    }

    private static func text(_ description: String) -> JSONValue {
        .object(["type": .string("string"), "description": .string(description)])
    }

    private static func object(
        _ description: String, _ properties: [String: JSONValue], required: [String]
    ) -> JSONValue {
        .object([
            "type": .string("object"), "description": .string(description), "properties": .object(properties),
            "required": .array(required.map(JSONValue.string)),
        ])
    }
}
