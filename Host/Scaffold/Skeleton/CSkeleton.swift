// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Transcoding

/// Handlers in C.
struct CSkeleton: Skeleton {
    let plan: SkeletonPlan

    init(_ plan: SkeletonPlan) { self.plan = plan }

    var placeholders: [String: String] {
        [
            "handlers": plan.operations.compactMap(handler).joined(separator: "\n"),
            "table": plan.operations.map(row).joined(),
        ]
    }

    private func function(_ operation: SkeletonPlan.Operation) -> String { "do_\(Words(operation.method).snake)" }

    private func row(_ operation: SkeletonPlan.Operation) -> String {
        let types = [operation.description.input, operation.description.output].map { "&\(plan.names[$0])_type" }
        let handler = operation.behaviour == nil ? "NULL" : function(operation)
        return "    {\"\(operation.description.name)\", \(types[0]), \(types[1]), \(handler)},\n"
    }

    private func handler(_ operation: SkeletonPlan.Operation) -> String? {
        guard let behaviour = operation.behaviour else { return nil }
        return """
            /* \(plan.comment(operation).replacing("*/", with: "* /")) */
            static void \(function(operation))(call *call, const void *message) {
            \(body(behaviour, operation).map { "    \($0)\n" }.joined())}

            """
    }

    private func body(_ behaviour: Behaviour, _ operation: SkeletonPlan.Operation) -> [String] {
        switch behaviour {
        case .refuse(let code, let reason, let message):
            return ["(void)message;", "call_fail(call, THEATRE_\(code), \"\(reason)\", \"\(message)\");"]
        case .answer(let assignments):
            let reads = assignments.contains(where: \.reads)
            return
                [reads ? "const \(plan.names[operation.description.input]) *request = message;" : "(void)message;"]
                + ["\(plan.names[operation.description.output]) response = {0};"] + assignments.flatMap(assign)
                + ["call_answer(call, &response);"]
        }
    }

    private func assign(_ assignment: Behaviour.Assignment) -> [String] {
        let field = "response.\(CEmitter.safe(assignment.field))"
        switch assignment.value {
        case .copy(let name): return ["\(field) = request->\(CEmitter.safe(name));"]
        case .text(let text): return ["\(field) = wire_text(\"\(text)\");"]
        case .number(let number): return ["\(field) = \(number);"]
        case .last(let list, let inner):
            return [
                "if (request->\(list)_count > 0) \(field) = request->\(list)[request->\(list)_count - 1].\(CEmitter.safe(inner));"
            ]
        }
    }
}
