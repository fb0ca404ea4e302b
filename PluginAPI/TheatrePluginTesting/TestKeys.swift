// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts
internal import TheatrePlugin

/// Keys in versions, as the host's service has them, for plugins that use keys: MACs are real, by a secret that is the
/// key's and the version's name; what stands for a signature is the same twice, and no algorithm's.
public final class TestKeys: Sendable {
    private struct Version {
        var id: String
        var signsFrom: Int64
    }

    private let versions: Mutex<[String: [Version]]>

    /// Keys by name, with the ids of their versions, oldest first.
    public init(_ keys: [String: [String]]) {
        versions = Mutex(keys.mapValues { ids in ids.reversed().map { Version(id: $0, signsFrom: 0) } })
    }

    /// Adds a version, which signs and makes MACs from a time on, in milliseconds since 1970.
    public func rotate(_ key: String, to id: String, signsFrom: Int64 = 0) {
        versions.withLock { $0[key, default: []].insert(Version(id: id, signsFrom: signsFrom), at: 0) }
    }

    /// Takes a version away.
    public func retire(_ key: String, _ id: String) {
        versions.withLock { $0[key, default: []].removeAll { $0.id == id } }
    }

    /// The MAC that a version makes.
    public static func mac(_ key: String, _ id: String, _ data: some Sequence<UInt8>) -> [UInt8] {
        Digest.hmacSHA256(key: Array("\(key) \(id)".utf8), Array(data))
    }

    fileprivate func all(_ key: String) throws -> [(id: String, signsFrom: Int64)] {
        guard let found = versions.withLock({ $0[key] }), !found.isEmpty else {
            throw PluginError(.permissionDenied, "keys.not_granted", "There is no such key.")
        }
        return found.map { ($0.id, $0.signsFrom) }
    }

    fileprivate func version(_ key: String, _ id: String, at now: Int64) throws -> String {
        let all = try all(key)
        if id.isEmpty { return all.first { $0.signsFrom <= now }?.id ?? all[all.count - 1].id }
        guard all.contains(where: { $0.id == id }) else {
            throw PluginError(.notFound, "keys.no_version", "There is no such version.", detail: "/key_id")
        }
        return id
    }
}

extension TestHost {
    /// Serves `theatre.host.v1.Keys` with these keys.
    public func serve(_ keys: TestKeys) {
        let now: @Sendable () -> Int64 = { [weak self] in self?.now ?? 0 }
        serve("theatre.host.v1.Keys/Mac") { (request: HostMacRequest, _) -> HostMacResponse in
            let id = try keys.version(request.key, request.keyID, at: now())
            return .with {
                $0.mac = Data(TestKeys.mac(request.key, id, request.data))
                $0.keyID = id
            }
        }
        serve("theatre.host.v1.Keys/VerifyMac") { (request: HostVerifyMacRequest, _) -> HostVerifyMacResponse in
            let macs = try keys.all(request.key).map { TestKeys.mac(request.key, $0.id, request.data) }
            return .with { $0.valid = macs.contains(Array(request.mac)) }
        }
        serve("theatre.host.v1.Keys/Sign") { (request: HostSignRequest, _) -> HostSignResponse in
            let id = try keys.version(request.key, request.keyID, at: now())
            let mac = TestKeys.mac(request.key, id, request.data)
            return .with {
                $0.signature = Data(mac + mac)
                $0.keyID = id
                $0.algorithm = "EdDSA"
            }
        }
        serve("theatre.host.v1.Keys/Verify") {
            (request: HostVerifySignatureRequest, _) -> HostVerifySignatureResponse in
            let mac = TestKeys.mac(request.key, request.keyID, request.data)
            let isThere = try keys.all(request.key).contains { $0.id == request.keyID }
            return .with { $0.valid = isThere && Array(request.signature) == mac + mac }
        }
        serve("theatre.host.v1.Keys/PublicKeys") { (request: HostPublicKeysRequest, _) -> HostPublicKeysResponse in
            let all = try keys.all(request.key)
            return .with {
                $0.keys = all.map { id, signsFrom in
                    .with {
                        $0.keyID = id
                        $0.algorithm = "EdDSA"
                        $0.jwk = #"{"kty":"OKP","crv":"Ed25519","kid":"\#(id)","x":"AA"}"#
                        $0.signsFrom = signsFrom
                    }
                }
            }
        }
    }
}
