// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
public import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// `theatre.host.v1.Keys`: plugins use keys by the names of their grants and never see them.
public struct KeysService: HostService {
    /// The contract's full name.
    public let contract = "theatre.host.v1.Keys"
    private let source: any KeySource
    private let uses: UseCounts?

    /// A service over `source`, whose signatures and MACs `uses` hears of.
    public init(source: any KeySource, uses: UseCounts? = nil) {
        self.source = source
        self.uses = uses
    }

    /// Serves one call; see ``HostService``.
    public func serve(_ operation: String, _ call: any HostCall) {
        switch operation {
        case "Sign":
            call.answer(HostSignRequest.self) { request throws(CallError) in
                try noting("sign", request.key, call) { () throws(CallError) in try sign(request, call.instance) }
            }
        case "Mac":
            call.answer(HostMacRequest.self) { request throws(CallError) in
                try noting("mac", request.key, call) { () throws(CallError) in
                    let mac = try versions(request.key, call.instance)[0].mac(Array(request.data))
                    return HostMacResponse.with { $0.mac = Data(mac) }
                }
            }
        case "VerifyMac":
            call.answer(HostVerifyMacRequest.self) { request throws(CallError) in try verify(request, call.instance) }
        case "PublicKeys":
            call.answer(HostPublicKeysRequest.self) { request throws(CallError) in
                try publicKeys(request, call.instance)
            }
        default: call.failUnknown(operation, of: contract)
        }
    }

    /// Uses a key, and tells of it.
    private func noting<Response>(
        _ action: String, _ key: String, _ call: any HostCall, _ body: () throws(CallError) -> Response
    ) throws(CallError) -> Response {
        do throws(CallError) {
            let response = try body()
            uses?.note(.key(key), action, by: call)
            return response
        } catch {
            uses?.note(.key(key), action, by: call, refused: error.reason)
            throw error
        }
    }

    private func sign(_ request: HostSignRequest, _ who: InstanceIdentity) throws(CallError) -> HostSignResponse {
        let versions = try versions(request.key, who)
        guard let version = request.keyID.isEmpty ? versions[0] : versions.first(where: { $0.id == request.keyID })
        else {
            throw CallError(
                .notFound, "keys.no_version", "Key \(request.key) has no version with this key id.", detail: "/key_id")
        }
        let signature = try version.sign(Array(request.data))
        return HostSignResponse.with {
            $0.signature = Data(signature)
            $0.keyID = version.id
            $0.algorithm = version.algorithm
        }
    }

    private func verify(
        _ request: HostVerifyMacRequest, _ who: InstanceIdentity
    ) throws(CallError) -> HostVerifyMacResponse {
        var valid = false
        // No early end: the time must not tell which version it was.
        for version in try versions(request.key, who) {
            let holds = try version.verifies(Array(request.mac), of: Array(request.data))
            valid = valid || holds
        }
        return HostVerifyMacResponse.with { $0.valid = valid }
    }

    private func publicKeys(
        _ request: HostPublicKeysRequest, _ who: InstanceIdentity
    ) throws(CallError) -> HostPublicKeysResponse {
        let versions = try versions(request.key, who).filter { !$0.publicJWK.isEmpty }
        return HostPublicKeysResponse.with { response in
            response.keys = versions.map { version in
                HostPublicKey.with {
                    $0.keyID = version.id
                    $0.algorithm = version.algorithm
                    $0.jwk = version.publicJWK
                }
            }
        }
    }

    /// At least one version, each of an algorithm of the grant.
    private func versions(_ name: String, _ who: InstanceIdentity) throws(CallError) -> [KeyVersion] {
        guard let grant = who.grants.keys[name] else {
            throw CallError(
                .permissionDenied, "keys.not_granted",
                "Instance \(who.instance) has no key of this name; add it to its manifest and its grants.",
                detail: "/key")
        }
        let versions = try source.versions(of: grant.key)
        guard let newest = versions.first else {
            throw CallError(.failedPrecondition, "keys.missing", "Key \(grant.key) has no version.")
        }
        guard grant.takes(newest.algorithm) else {
            throw CallError(
                .failedPrecondition, "keys.wrong_algorithm",
                "Key \(grant.key) is \(newest.algorithm), the grant says \(grant.algorithm).")
        }
        return versions.filter { grant.takes($0.algorithm) }
    }
}
