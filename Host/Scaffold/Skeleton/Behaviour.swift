// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Transcoding

/// What an operation of a new plugin does before its author writes what it is for.
enum Behaviour: Sendable, Hashable {
    /// It answers with these fields set.
    case answer([Assignment])
    /// It refuses, having done nothing. The reason begins with the plugin's own name unless it is the contract's.
    case refuse(code: String, reason: String, message: String)

    /// A field of the answer and what it gets.
    struct Assignment: Sendable, Hashable {
        let field: String
        let value: Value

        /// It needs the request.
        var reads: Bool {
            switch value {
            case .copy, .last: true
            case .text, .number: false
            }
        }
    }

    /// What a field gets.
    enum Value: Sendable, Hashable {
        /// A field of the request.
        case copy(String)
        /// A field of the last element of a list of the request; nothing where the list is empty.
        case last(list: String, field: String)
        case text(String)
        case number(Int)
    }
}

/// Honest defaults: nothing claims to have done what it has not.
struct Behaviours: Sendable {
    let name: String
    let contract: Contract

    /// What an operation does; nil for one that streams, which is refused before there is a request.
    func behaviour(of operation: OperationDescription) -> Behaviour? {
        guard !operation.isClientStreaming, !operation.isServerStreaming else { return nil }
        if let known = known(operation.name) { return known }
        guard operation.name.hasPrefix("theatre.") || operation.sideEffect else { return .answer(shared(operation)) }
        return Self.notWritten(Words(name).snake)
    }

    static func notWritten(_ plugin: String) -> Behaviour {
        .refuse(
            code: "UNIMPLEMENTED", reason: "\(plugin).not_written",
            message: "This operation is not written yet; nothing was done.")
    }

    private func known(_ operation: String) -> Behaviour? {
        let id = Words(name).kebab
        return switch operation {
        case "theatre.http.v1.Handler/Handle":
            .answer([
                set("status", .number(200)), set("content_type", .text("text/plain; charset=utf-8")),
                set("body", .copy("path")),
            ])
        case "theatre.content.v1.Chat/Complete":
            .answer([
                set("text", .last(list: "messages", field: "text")), set("finish_reason", .number(1)),
                set("model", .text(id)),
            ])
        case "theatre.notification.v1.Channel/Check":
            .answer([set("message", .text("Send is not written yet."))])
        case "theatre.culture.v1.Pack/Describe":
            .answer([set("id", .text(id)), set("version", .text("0.1.0")), set("name", .text(name))])
        case "theatre.culture.v1.Pack/Validate": .answer([set("version", .text("0.1.0"))])
        case "theatre.culture.v1.Pack/Enrich": .answer([set("prompt", .copy("prompt"))])
        case "theatre.events.v1.Consumer/Deliver", "theatre.host.v1.Target/Fire",
            "theatre.host.v1.Handover/ExportState", "theatre.host.v1.Handover/ImportState":
            .answer([])
        case "theatre.jobs.v1.Worker/Run": .answer([set("result", .text("done"))])
        case "theatre.payment.v1.Provider/QueryPayment", "theatre.payment.v1.Provider/QueryRefund":
            .refuse(
                code: "NOT_FOUND", reason: "payment.unknown",
                message: "This provider has made nothing of that number.")
        default: nil
        }
    }

    private func set(_ field: String, _ value: Behaviour.Value) -> Behaviour.Assignment {
        Behaviour.Assignment(field: field, value: value)
    }

    /// What request and answer both have, by name and type.
    private func shared(_ operation: OperationDescription) -> [Behaviour.Assignment] {
        let asked = contract.message(operation.input)?.fields ?? []
        return (contract.message(operation.output)?.fields ?? []).filter { field in
            guard !field.isRepeated, field.oneof == nil, !field.hasPresence else { return false }
            if case .message = field.type { return false }
            return asked.contains {
                $0.name == field.name && $0.type == field.type && !$0.isRepeated && $0.oneof == nil && !$0.hasPresence
            }
        }
        .map { set($0.name, .copy($0.name)) }
    }
}
