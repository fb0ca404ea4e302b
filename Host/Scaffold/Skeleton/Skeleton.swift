// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Transcoding

/// What a new plugin's sources say of each operation, in one language.
protocol Skeleton {
    init(_ plan: SkeletonPlan) throws

    /// The value of each placeholder that only this language has.
    var placeholders: [String: String] { get }
}

/// What every language needs to know.
struct SkeletonPlan {
    let name: String
    let contract: Contract
    let names: TypeNames
    /// The operations of the manifest, in its order.
    let operations: [Operation]

    /// One operation.
    struct Operation {
        let description: OperationDescription
        /// nil for one that streams.
        let behaviour: Behaviour?

        /// `Handle`.
        var method: String {
            String(
                description.name[
                    description.name.index(
                        after: description.name.firstIndex(of: "/") ?? description.name.startIndex)...])
        }
    }

    init(name: String, contract: Contract) {
        self.name = name
        self.contract = contract
        names = TypeNames(contract)
        let behaviours = Behaviours(name: name, contract: contract)
        operations = contract.service.operations
            .map { Operation(description: $0, behaviour: behaviours.behaviour(of: $0)) }
            // What streams and may be left out is left out.
            .filter { $0.behaviour != nil || !$0.description.optional }
    }

    /// A field of a message.
    func field(_ name: String, of message: String) -> FieldDescription? {
        contract.message(message)?.fields.first { $0.name == name }
    }

    /// The comment of an operation on one line, or its name.
    func comment(_ operation: Operation) -> String {
        let text = operation.description.comment.split(separator: "\n").joined(separator: " ")
        return text.isEmpty ? operation.method : text
    }
}
