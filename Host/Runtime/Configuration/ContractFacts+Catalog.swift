// TheatreOS
// SPDX-License-Identifier: Apache-2.0

package import Registry
internal import TheatreContracts
package import Transcoding

extension ContractFacts {
    /// What the compiler needs of the contracts.
    package init(reading catalog: ContractCatalog) {
        self.init(
            catalog.services.map { service in
                ContractFacts.Capability(
                    name: service.name, operations: service.operations.map(Self.facts),
                    attributes: service.attributes.map { .init($0.name, Self.type($0)) }, many: service.many,
                    external: service.external.map(Self.faults))
            })
    }

    private static func faults(_ external: OptionsExternal) -> [String: FaultClass] {
        Dictionary(
            external.faults.map { ($0.reason, Self.faultClass($0.class)) }, uniquingKeysWith: { first, _ in first })
    }

    private static func faultClass(_ stated: OptionsFaultClass) -> FaultClass {
        switch stated {
        case .auth: .auth
        case .quota: .quota
        case .rate: .rate
        case .timeout: .timeout
        default: .server
        }
    }

    private static func facts(_ operation: OperationDescription) -> ContractFacts.Operation {
        var facts = ContractFacts.Operation(String(operation.name.drop { $0 != "/" }.dropFirst()))
        facts.optional = operation.optional
        facts.freeOfEffects = operation.freeOfEffects
        facts.sideEffect = operation.sideEffect
        facts.hostOnly = operation.hostOnly
        facts.holdsTransaction = operation.holdsTransaction
        facts.reconcile = operation.reconcile
        facts.defaultTimeout = Int(operation.defaultTimeoutMilliseconds)
        return facts
    }

    private static func type(_ attribute: AttributeDescription) -> ContractFacts.AttributeType {
        switch attribute.type {
        case .integer: .integer
        case .strings: .strings
        case .boolean: .boolean
        default: .string
        }
    }
}
