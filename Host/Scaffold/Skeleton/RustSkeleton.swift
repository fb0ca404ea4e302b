// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Transcoding

/// Handlers in Rust.
struct RustSkeleton: Skeleton {
    let plan: SkeletonPlan

    init(_ plan: SkeletonPlan) { self.plan = plan }

    var placeholders: [String: String] {
        [
            "handlers": plan.operations.compactMap(handler).joined(separator: "\n"),
            "table": plan.operations.enumerated().map { row($0.offset, $0.element) }.joined(),
            "round_trips": plan.operations.map(roundTrip).joined(),
        ]
    }

    private func type(_ name: String) -> String { RustEmitter.typeName(plan.names[name]) }

    private func function(_ operation: SkeletonPlan.Operation) -> String {
        RustEmitter.safe(Words(operation.method).snake)
    }

    private func row(_ index: Int, _ operation: SkeletonPlan.Operation) -> String {
        operation.behaviour == nil
            ? "        \(index) => Err(call.not_written()), // \(operation.method) streams\n"
            : "        \(index) => call.serve(|request| state.\(function(operation))(request, call)),\n"
    }

    private func roundTrip(_ operation: SkeletonPlan.Operation) -> String {
        let input = type(operation.description.input)
        return """
                    let message = \(input)::default();
                    assert_eq!(crate::wire::decode(&crate::wire::encode(&message)), Ok(message));

            """
    }

    private func handler(_ operation: SkeletonPlan.Operation) -> String? {
        guard let behaviour = operation.behaviour else { return nil }
        let (input, output) = (type(operation.description.input), type(operation.description.output))
        return """
                /// \(plan.comment(operation))
                fn \(function(operation))(&self, request: \(input), call: &Call) -> Result<\(output), Error> {
            \(body(behaviour, operation).map { "        \($0)\n" }.joined())    }

            """
    }

    private func body(_ behaviour: Behaviour, _ operation: SkeletonPlan.Operation) -> [String] {
        switch behaviour {
        case .refuse(let code, let reason, let message):
            return reason.hasSuffix(".not_written")
                ? ["Err(call.not_written())"] : ["Err(Error::new(code::\(code), \"\(reason)\", \"\(message)\"))"]
        case .answer(let assignments):
            let fields = assignments.map { "    \(RustEmitter.safe($0.field)): \(value($0, operation))," }
            let output = type(operation.description.output)
            if fields.isEmpty { return ["Ok(\(output)::default())"] }
            let all = plan.contract.message(operation.description.output)?.fields.count == fields.count
            return ["Ok(\(output) {"] + fields + (all ? [] : ["    ..Default::default()"]) + ["})"]
        }
    }

    private func value(_ assignment: Behaviour.Assignment, _ operation: SkeletonPlan.Operation) -> String {
        let target = plan.field(assignment.field, of: operation.description.output)?.type
        switch assignment.value {
        case .copy(let name):
            let source = plan.field(name, of: operation.description.input)?.type
            let place = "request.\(RustEmitter.safe(name))"
            return target == .bytes && source == .string ? "\(place).into_bytes()" : place
        case .last(let list, let field):
            return "request.\(list).last().map(|last| last.\(RustEmitter.safe(field)).clone()).unwrap_or_default()"
        case .text(let text): return target == .bytes ? "b\"\(text)\".to_vec()" : "\"\(text)\".into()"
        case .number(let number):
            if case .enumeration(let name)? = target { return "\(type(name))(\(number))" }
            return "\(number)"
        }
    }
}
