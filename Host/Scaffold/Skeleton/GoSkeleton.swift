// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Transcoding

/// Handlers in Go.
struct GoSkeleton: Skeleton {
    let plan: SkeletonPlan

    init(_ plan: SkeletonPlan) { self.plan = plan }

    var placeholders: [String: String] {
        [
            "handlers": plan.operations.compactMap(handler).joined(separator: "\n"),
            "table": plan.operations.enumerated().map { row($0.offset, $0.element) }.joined(),
        ]
    }

    private func type(_ name: String) -> String { GoEmitter.typeName(plan.names[name]) }

    private func row(_ index: Int, _ operation: SkeletonPlan.Operation) -> String {
        let does =
            operation.behaviour == nil
            ? "return nil, notWritten() // \(operation.method) streams"
            : "return serve(call, state.\(operation.method))"
        return "\tcase \(index):\n\t\t\(does)\n"
    }

    private func handler(_ operation: SkeletonPlan.Operation) -> String? {
        guard let behaviour = operation.behaviour else { return nil }
        let (input, output) = (type(operation.description.input), type(operation.description.output))
        return """
            // \(operation.method): \(plan.comment(operation))
            func (s *State) \(operation.method)(call *Call, request *\(input)) (*\(output), error) {
            \(body(behaviour, operation).map { "\t\($0)\n" }.joined())}

            """
    }

    private func body(_ behaviour: Behaviour, _ operation: SkeletonPlan.Operation) -> [String] {
        switch behaviour {
        case .refuse(let code, let reason, let message):
            if reason.hasSuffix(".not_written") { return ["return nil, notWritten()"] }
            return ["return nil, fail(\(Words(code).pascal), \"\(reason)\", \"\(message)\")"]
        case .answer(let assignments):
            let output = type(operation.description.output)
            if assignments.isEmpty { return ["return &\(output){}, nil"] }
            return ["answer := &\(output){}"] + assignments.flatMap { assign($0, operation) } + ["return answer, nil"]
        }
    }

    private func assign(_ assignment: Behaviour.Assignment, _ operation: SkeletonPlan.Operation) -> [String] {
        let target = plan.field(assignment.field, of: operation.description.output)?.type
        let field = "answer.\(GoEmitter.field(assignment.field))"
        switch assignment.value {
        case .copy(let name):
            let place = "request.\(GoEmitter.field(name))"
            let source = plan.field(name, of: operation.description.input)?.type
            return ["\(field) = \(target == .bytes && source == .string ? "[]byte(\(place))" : place)"]
        case .last(let list, let inner):
            let place = "request.\(GoEmitter.field(list))"
            return [
                "if last := len(\(place)) - 1; last >= 0 {", "\t\(field) = \(place)[last].\(GoEmitter.field(inner))",
                "}",
            ]
        case .text(let text): return ["\(field) = \(target == .bytes ? "[]byte(\"\(text)\")" : "\"\(text)\"")"]
        case .number(let number): return ["\(field) = \(number)"]
        }
    }
}
