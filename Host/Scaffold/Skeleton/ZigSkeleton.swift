// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Transcoding

/// Handlers in Zig.
struct ZigSkeleton: Skeleton {
    let plan: SkeletonPlan

    init(_ plan: SkeletonPlan) { self.plan = plan }

    var placeholders: [String: String] {
        [
            "handlers": plan.operations.compactMap(handler).joined(separator: "\n"),
            "table": plan.operations.map(row).joined(),
        ]
    }

    private func function(_ operation: SkeletonPlan.Operation) -> String { "do" + Words(operation.method).pascal }

    private func row(_ operation: SkeletonPlan.Operation) -> String {
        let input = plan.names[operation.description.input]
        return operation.behaviour == nil
            ? "    null, // \(operation.method) streams\n"
            : "    plugin.operation(messages.\(input), \(function(operation))),\n"
    }

    private func handler(_ operation: SkeletonPlan.Operation) -> String? {
        guard let behaviour = operation.behaviour else { return nil }
        var request = "_"
        if case .answer(let assignments) = behaviour, assignments.contains(where: { $0.reads }) { request = "request" }
        return """
            /// \(plan.comment(operation))
            fn \(function(operation))(_: *State, call: *const Call, \(request): *const messages.\(plan.names[operation.description.input])) void {
            \(body(behaviour, operation).map { "    \($0)\n" }.joined())}

            """
    }

    private func body(_ behaviour: Behaviour, _ operation: SkeletonPlan.Operation) -> [String] {
        switch behaviour {
        case .refuse(let code, let reason, let message):
            return ["call.fail(.\(code.lowercased()), \"\(reason)\", \"\(message)\");"]
        case .answer(let assignments):
            let output = "messages.\(plan.names[operation.description.output])"
            if assignments.isEmpty { return ["call.answer(\(output){});"] }
            return ["call.answer(\(output){"]
                + assignments.map { "    .\(ZigEmitter.safe($0.field)) = \(value($0, operation))," } + ["});"]
        }
    }

    private func value(_ assignment: Behaviour.Assignment, _ operation: SkeletonPlan.Operation) -> String {
        switch assignment.value {
        case .copy(let name): return "request.\(ZigEmitter.safe(name))"
        case .last(let list, let field):
            return
                "if (request.\(list).len > 0) request.\(list)[request.\(list).len - 1].\(ZigEmitter.safe(field)) else \"\""
        case .text(let text): return "\"\(text)\""
        case .number(let number):
            if case .enumeration? = plan.field(assignment.field, of: operation.description.output)?.type {
                return "@enumFromInt(\(number))"
            }
            return "\(number)"
        }
    }
}
