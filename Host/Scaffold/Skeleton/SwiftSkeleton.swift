// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Transcoding

/// Handlers in Swift, on the messages and seams that the SDK brings.
struct SwiftSkeleton: Skeleton {
    let plan: SkeletonPlan
    private let names: SwiftNames

    init(_ plan: SkeletonPlan) throws {
        self.plan = plan
        names = try SwiftNames(plan.contract)
    }

    var placeholders: [String: String] {
        let seam = names.seam(plan.contract.service.name)
        return [
            "handlers": plan.operations.map { "\n\(handler($0))" }.joined(), "protocol": "\(seam)Contract",
            "registrations": "\(SwiftNames.lowered(seam))Operations",
        ]
    }

    private func handler(_ operation: SkeletonPlan.Operation) -> String {
        let description = operation.description
        let request = names.type(description.input), response = names.type(description.output)
        let name = operation.method.prefix(1).lowercased() + operation.method.dropFirst()
        let parameters =
            switch (description.isClientStreaming, description.isServerStreaming) {
            case (true, _): "_ input: MessageStream<\(request)>, _ call: Call, _ output: MessageSink<\(response)>"
            case (_, true): "_ request: \(request), _ call: Call, _ output: MessageSink<\(response)>"
            default: "_ request: \(request), _ call: Call"
            }
        let streams = description.isClientStreaming || description.isServerStreaming
        let lines = body(operation).map { "        \($0)\n" }.joined()
        return """
                /// \(plan.comment(operation))
                func \(name)(\(parameters)) async throws\(streams ? "" : " -> \(response)") {
            \(lines)    }

            """
    }

    private func body(_ operation: SkeletonPlan.Operation) -> [String] {
        switch operation.behaviour {
        case nil: return ["throw PluginError.unimplemented(\"\(operation.description.name)\")"]
        case .refuse(let code, let reason, let message):
            return ["throw PluginError(.\(SwiftNames.camel(code.lowercased())), \"\(reason)\", \"\(message)\")"]
        case .answer(let assignments) where assignments.isEmpty:
            return ["\(names.type(operation.description.output))()"]
        case .answer(let assignments):
            return [".with {"] + assignments.map { "    \(assign($0, operation))" } + ["}"]
        }
    }

    private func assign(_ assignment: Behaviour.Assignment, _ operation: SkeletonPlan.Operation) -> String {
        let type = plan.field(assignment.field, of: operation.description.output)?.type
        let value: String
        switch assignment.value {
        case .copy(let name):
            let isText = plan.field(name, of: operation.description.input)?.type == .string
            let source = "request.\(SwiftNames.camel(name))"
            value = type == .bytes && isText ? "Data(\(source).utf8)" : source
        case .last(let list, let field):
            value = "request.\(SwiftNames.camel(list)).last?.\(SwiftNames.camel(field)) ?? \"\""
        case .text(let text): value = type == .bytes ? "Data(\"\(text)\".utf8)" : "\"\(text)\""
        case .number(let number):
            if case .enumeration(let name) = type {
                value = "\(names.type(name))(rawValue: \(number)) ?? .init()"
            } else {
                value = "\(number)"
            }
        }
        return "$0.\(SwiftNames.camel(assignment.field)) = \(value)"
    }
}
