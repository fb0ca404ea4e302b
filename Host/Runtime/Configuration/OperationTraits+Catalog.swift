// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreManifest
public import Transcoding

extension OperationTraits {
    /// What the contracts say of `capability/Operation`; of one they do not know, nothing.
    public init(of operation: String, in catalog: ContractCatalog) {
        self.init()
        guard let description = catalog.operation(operation) else { return }
        sideEffect = description.sideEffect
        reconcile = description.reconcile.isEmpty ? "" : "\(Manifest.owner(of: operation))/\(description.reconcile)"
        freeOfEffects = description.freeOfEffects
        holdsTransaction = description.holdsTransaction
        hostOnly = description.hostOnly
        beforeReady = operation == Handover.give
        streamsIn = description.isClientStreaming
        streamsOut = description.isServerStreaming
        usage = UsageLayout(of: description, in: catalog)
        defaultTimeout = UInt64(description.defaultTimeoutMilliseconds) * 1_000_000
    }
}
