// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreManifest

/// One contract, a plugin that serves it, and calls to it that follow each other.
struct Scenario: Sendable, CustomTestStringConvertible {
    /// Full name: `theatre.ledger.v1.Ledger`.
    let contract: String
    /// Who serves it.
    let plugin: String
    var configuration = "{}"
    let steps: [Step]

    var testDescription: String { contract }

    init(_ contract: String, by plugin: String, configuration: String = "{}", _ steps: [Step]) {
        (self.contract, self.plugin, self.configuration, self.steps) = (contract, plugin, configuration, steps)
    }

    /// One call. Its messages are the JSON of the contract's; `"$name.field.0"` in them is what an earlier answer said.
    struct Step: Sendable {
        /// Of the scenario's contract, or in full; after `with-ledger:` one of an instance that stands beside.
        let operation: String
        let messages: [String]
        /// What later steps call its answer.
        var name = ""
        /// The reason it fails with; nil where it is answered.
        var reason: String?
        /// Whose call it is; may be a reference.
        var principal = "usr_1"
        var session = ""
        /// Its answer is chance, such as a digest of what holds times: only that it comes is compared.
        var isChance = false

        /// Whom it is a call to.
        var instance: String {
            operation.contains(":") ? String(operation.prefix { $0 != ":" }) : ModeWorld.name
        }
    }

}

extension Scenario.Step {
    /// A call that is answered.
    static func call(
        _ operation: String, _ messages: String..., as name: String = "", by principal: String = "usr_1",
        in session: String = ""
    ) -> Scenario.Step {
        Scenario.Step(operation: operation, messages: messages, name: name, principal: principal, session: session)
    }

    /// A call whose answer differs each time.
    static func chance(
        _ operation: String, _ messages: String..., as name: String = "", by principal: String = "usr_1"
    ) -> Scenario.Step {
        Scenario.Step(operation: operation, messages: messages, name: name, principal: principal, isChance: true)
    }

    /// A call that fails.
    static func refused(
        _ operation: String, _ reason: String, _ messages: String..., by principal: String = "usr_1"
    ) -> Scenario.Step {
        Scenario.Step(operation: operation, messages: messages, reason: reason, principal: principal)
    }
}

extension JSONValue {
    /// With what `"$name.field"` refers to.
    func resolved(_ answers: [String: JSONValue]) throws -> JSONValue {
        switch self {
        case .string(let text) where text.hasPrefix("$"):
            var parts = text.dropFirst().split(separator: ".").map(String.init)
            guard !parts.isEmpty, var value = answers[parts.removeFirst()] else { throw Unresolved(what: text) }
            for part in parts {
                guard let next = value[part] ?? Int(part).flatMap({ index in value.array?.dropFirst(index).first })
                else { throw Unresolved(what: text) }
                value = next
            }
            return value
        case .array(let elements):
            let resolved = try elements.map { try $0.resolved(answers) }
            // `["pay:", "$attempt.number"]` is one text.
            guard elements.count == 2, let first = elements[0].string, first.hasSuffix(":") else {
                return .array(resolved)
            }
            return .string(resolved.compactMap(\.string).joined())
        case .object(let members): return .object(try members.mapValues { try $0.resolved(answers) })
        default: return self
        }
    }
}

/// A step refers to what was never answered.
struct Unresolved: Error {
    let what: String
}
