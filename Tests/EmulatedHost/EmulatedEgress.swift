// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Emulators
import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin
public import TheatrePluginTesting

extension TestHost {
    /// Joins a plugin's egress to an emulator, as the host's own does: only to hosts that are granted, with secrets in
    /// their places, and with the errors of a connection that breaks.
    ///
    /// - Parameters:
    ///   - bases: what a URL must begin with: `https://api.example.org`.
    ///   - secrets: what stands for `${secret:NAME}`, by name.
    public func emulate(
        _ bases: [String], secrets: [String: String] = [:],
        _ answer: @escaping @Sendable (EmulatorRequest) -> EmulatorAnswer
    ) {
        serve("theatre.host.v1.Egress/Fetch") { (request: HostFetchRequest, _) -> HostFetchResponse in
            guard let base = bases.first(where: { request.url.hasPrefix("\($0)/") }) else {
                throw PluginError(.permissionDenied, "egress.refused", "This host is not granted.")
            }
            let uri = Self.filled(String(request.url.dropFirst(base.count)), secrets)
            let fields = request.headers.map { ($0.name, Self.filled($0.value, secrets)) }
            let answer = answer(
                EmulatorRequest(
                    method: request.method, uri: uri,
                    fields: fields + [("host", String(base.split(separator: "/").last ?? ""))],
                    body: Array(request.body)))
            if answer.cutAfter == 0 {
                throw PluginError(.unavailable, "egress.broken", "The connection broke.", effect: .unknown)
            }
            if answer.delay > Int64(request.timeoutMs) {
                throw PluginError(.deadlineExceeded, "egress.timeout", "No answer in time.", effect: .unknown)
            }
            return .with {
                $0.status = UInt32(answer.status)
                $0.headers = answer.headers.map { name, value in
                    .with {
                        $0.name = name
                        $0.value = value
                    }
                }
                $0.body = Data(answer.body)
            }
        }
    }

    /// Serves the host's keys: HMACs of secrets by name, and signatures of keys by name.
    public func emulateKeys(secrets: [String: [UInt8]] = [:], signers: [String: TokenSigner] = [:]) {
        serve("theatre.host.v1.Keys/Mac") { (request: HostMacRequest, _) -> HostMacResponse in
            let secret = try Self.known(secrets[request.key])
            return .with {
                $0.mac = Data(Digest.hmacSHA256(key: secret, Array(request.data)))
                $0.keyID = "1"
            }
        }
        serve("theatre.host.v1.Keys/VerifyMac") { (request: HostVerifyMacRequest, _) -> HostVerifyMacResponse in
            let secret = try Self.known(secrets[request.key])
            return .with {
                $0.valid = Digest.equal(Digest.hmacSHA256(key: secret, Array(request.data)), Array(request.mac))
            }
        }
        serve("theatre.host.v1.Keys/PublicKeys") { (request: HostPublicKeysRequest, _) -> HostPublicKeysResponse in
            let signer = try Self.known(signers[request.key])
            return .with {
                $0.keys = [
                    .with {
                        $0.keyID = signer.id
                        $0.algorithm = signer.kind.rawValue
                    }
                ]
            }
        }
        serve("theatre.host.v1.Keys/Verify") {
            (request: HostVerifySignatureRequest, _) -> HostVerifySignatureResponse in
            let signer = try Self.known(signers[request.key])
            return .with {
                $0.valid = request.keyID == signer.id && signer.verifies(request.signature, of: request.data)
            }
        }
        serve("theatre.host.v1.Keys/Sign") { (request: HostSignRequest, _) -> HostSignResponse in
            let signer = try Self.known(signers[request.key])
            return try .with {
                $0.signature = try signer.sign(request.data)
                $0.keyID = signer.id
                $0.algorithm = signer.kind.rawValue
            }
        }
    }

    private static func known<Value>(_ value: Value?) throws -> Value {
        guard let value else { throw PluginError(.permissionDenied, "keys.not_granted", "There is no such key.") }
        return value
    }

    private static func filled(_ text: String, _ secrets: [String: String]) -> String {
        secrets.reduce(text) { $0.replacing("${secret:\($1.key)}", with: $1.value) }
    }
}
