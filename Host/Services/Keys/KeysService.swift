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
    private let inSecrets: SecretKeys?
    private let uses: UseCounts?

    /// A service over `source`, whose signatures and MACs `uses` hears of; keys that are granted from secrets are in
    /// `secrets`.
    public init(source: any KeySource, secrets: (any SecretSource)? = nil, uses: UseCounts? = nil) {
        self.source = source
        inSecrets = secrets.map(SecretKeys.init)
        self.uses = uses
    }

    /// Serves one call; see ``HostService``.
    public func serve(_ operation: String, _ call: any HostCall) {
        switch operation {
        case "Sign": serve(HostSignRequest.self, { $0.key }, "sign", call, sign)
        case "Mac": serve(HostMacRequest.self, { $0.key }, "mac", call, mac)
        case "VerifyMac": serve(HostVerifyMacRequest.self, { $0.key }, nil, call, verifyMac)
        case "Verify": serve(HostVerifySignatureRequest.self, { $0.key }, nil, call, verify)
        case "PublicKeys": serve(HostPublicKeysRequest.self, { $0.key }, nil, call, publicKeys)
        default: call.failUnknown(operation, of: contract)
        }
    }

    /// Answers with what `body` makes of the key's versions; at once, unless a secret has to be fetched.
    ///
    /// - Parameter action: what the audit calls it; nil where no private half is used.
    private func serve<Request: Message, Response: Message>(
        _ type: Request.Type, _ key: (Request) -> String, _ action: String?, _ call: any HostCall,
        _ body: @escaping @Sendable (Request, [KeyVersion]) throws(CallError) -> Response
    ) {
        let request: Request
        do throws(CallError) { request = try call.decode(type) } catch { return call.fail(error) }
        let name = key(request)
        let answer: @Sendable (CallError?) -> Void = { error in
            do throws(CallError) {
                if let error { throw error }
                let bytes = try encoded(try body(request, try versions(name, call.instance)))
                if let action { uses?.note(.key(name), action, by: call) }
                call.complete(bytes)
            } catch {
                if let action { uses?.note(.key(name), action, by: call, refused: error.reason) }
                call.fail(error)
            }
        }
        guard let inSecrets, let place = call.instance.grants.keys[name]?.source else { return answer(nil) }
        inSecrets.secrets.fetch([place], for: call.instance, deadline: call.deadline, answer)
    }

    private func sign(_ request: HostSignRequest, _ versions: [KeyVersion]) throws(CallError) -> HostSignResponse {
        let version = try version(request.keyID, of: request.key, versions)
        let signature = try version.sign(Array(request.data))
        return HostSignResponse.with {
            $0.signature = Data(signature)
            $0.keyID = version.id
            $0.algorithm = version.algorithm
        }
    }

    private func mac(_ request: HostMacRequest, _ versions: [KeyVersion]) throws(CallError) -> HostMacResponse {
        let version = try version(request.keyID, of: request.key, versions)
        let mac = try version.mac(Array(request.data))
        return HostMacResponse.with {
            $0.mac = Data(mac)
            $0.keyID = version.id
        }
    }

    private func verifyMac(
        _ request: HostVerifyMacRequest, _ versions: [KeyVersion]
    ) throws(CallError) -> HostVerifyMacResponse {
        var valid = false
        // No early end: the time must not tell which version it was.
        for version in versions {
            let holds = try version.verifies(Array(request.mac), of: Array(request.data))
            valid = valid || holds
        }
        return HostVerifyMacResponse.with { $0.valid = valid }
    }

    /// What names a version that is not there was not made by one: the name comes with what is checked.
    private func verify(
        _ request: HostVerifySignatureRequest, _ versions: [KeyVersion]
    ) throws(CallError) -> HostVerifySignatureResponse {
        guard let version = versions.first(where: { $0.id == request.keyID }) else { return .init() }
        let valid = try version.verifies(signature: Array(request.signature), of: Array(request.data))
        return HostVerifySignatureResponse.with { $0.valid = valid }
    }

    private func publicKeys(
        _ request: HostPublicKeysRequest, _ versions: [KeyVersion]
    ) throws(CallError) -> HostPublicKeysResponse {
        HostPublicKeysResponse.with { response in
            response.keys = versions.filter { !$0.publicJWK.isEmpty }.map { version in
                HostPublicKey.with {
                    $0.keyID = version.id
                    $0.algorithm = version.algorithm
                    $0.jwk = version.publicJWK
                    $0.signsFrom = version.signsFrom
                }
            }
        }
    }

    /// The version with an id; for none the one that signs.
    private func version(_ id: String, of key: String, _ versions: [KeyVersion]) throws(CallError) -> KeyVersion {
        guard let version = id.isEmpty ? versions.signing(at: source.now) : versions.first(where: { $0.id == id })
        else {
            throw CallError(
                .notFound, "keys.no_version", "Key \(key) has no version with this key id.", detail: "/key_id")
        }
        return version
    }

    /// At least one version, each of an algorithm of the grant.
    private func versions(_ name: String, _ who: InstanceIdentity) throws(CallError) -> [KeyVersion] {
        guard let grant = who.grants.keys[name] else {
            throw CallError(
                .permissionDenied, "keys.not_granted",
                "Instance \(who.instance) has no key of this name; add it to its manifest and its grants.",
                detail: "/key")
        }
        let versions =
            if let inSecrets, let place = grant.source {
                [try inSecrets.version(of: place, for: who)]
            } else {
                try source.versions(of: grant.key)
            }
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
