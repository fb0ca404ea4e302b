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

    /// A service over `source`.
    public init(source: any SecretSource) { self.source = source }

    /// Serves one call; see ``HostService``.
    public func serve(_ operation: String, _ call: any HostCall) {
        guard operation == "Lease" else { return call.failUnknown(operation, of: contract) }
        do throws(CallError) {
            let name = try call.decode(HostLeaseRequest.self).name
            guard let grant = call.instance.grants.secrets[name], grant.isLease else {
                throw CallError(
                    .permissionDenied, "secrets.not_granted",
                    "The instance has no lease for this secret; grant it with lease, or use a placeholder in Egress.",
                    detail: "/name")
            }
            source.fetch([grant.source], for: call.instance, deadline: call.deadline) { [source] error in
                do throws(CallError) {
                    if let error { throw error }
                    let value = try source.seen(by: call.instance).value(for: grant.source)
                    let response = HostLeaseResponse.with { response in
                        response.value = value.withUnsafeBytes { Data($0) }
                    }
                    call.complete(try encoded(response))
                } catch {
                    call.fail(error)
                }
            }
        } catch {
            call.fail(error)
        }
    }
}
