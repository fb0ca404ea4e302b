// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
public import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// `theatre.host.v1.Secrets`: hands out secrets whose grant says so, and no others.
public struct SecretsService: HostService {
    /// The contract's full name.
    public let contract = "theatre.host.v1.Secrets"
    private let source: any SecretSource
    private let uses: UseCounts?

    /// A service over `source`, whose leases `uses` hears of.
    public init(source: any SecretSource, uses: UseCounts? = nil) {
        self.source = source
        self.uses = uses
    }

    /// Serves one call; see ``HostService``.
    public func serve(_ operation: String, _ call: any HostCall) {
        guard operation == "Lease" else { return call.failUnknown(operation, of: contract) }
        let name: String
        do throws(CallError) { name = try call.decode(HostLeaseRequest.self).name } catch { return call.fail(error) }
        guard let grant = call.instance.grants.secrets[name], grant.isLease else {
            return refuse(
                call, name,
                CallError(
                    .permissionDenied, "secrets.not_granted",
                    "The instance has no lease for this secret; grant it with lease, or use a placeholder in Egress.",
                    detail: "/name"))
        }
        source.fetch([grant.source], for: call.instance, deadline: call.deadline) { error in
            do throws(CallError) {
                if let error { throw error }
                let value = try source.seen(by: call.instance).value(for: grant.source)
                let response = HostLeaseResponse.with { response in
                    response.value = value.withUnsafeBytes { Data($0) }
                }
                let bytes = try encoded(response)
                uses?.note(.secret(name), "lease", by: call)
                call.complete(bytes)
            } catch {
                refuse(call, name, error)
            }
        }
    }

    private func refuse(_ call: any HostCall, _ name: String, _ error: CallError) {
        uses?.note(.secret(name), "lease", by: call, refused: error.reason)
        call.fail(error)
    }
}
