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
            let answer = answer(try Self.received(request, bases, secrets))
            if answer.cutAfter == 0 { throw Self.broken }
            if answer.delay > Int64(request.timeoutMs) { throw Self.late }
            return Self.head(answer, Data(answer.body))
        }
    }

    /// As ``emulate(_:secrets:_:)`` for streamed answers. One that stalls is late at once, or stays open where `waits`.
    ///
    /// - Parameter closed: called for each stream that its reader gave up.
    public func emulateStreams(
        _ bases: [String], secrets: [String: String] = [:], waits: Bool = false,
        closed: @escaping @Sendable () -> Void = {}, _ answer: @escaping @Sendable (EmulatorRequest) -> EmulatorAnswer
    ) {
        serveStreaming("theatre.host.v1.Egress/FetchStream") {
            (request: HostFetchRequest, _, output: MessageSink<HostFetchPart>) in
            let answer = answer(try Self.received(request, bases, secrets))
            if answer.delay > Int64(request.timeoutMs) { throw Self.late }
            if answer.cutAfter == 0 { throw Self.broken }
            do {
                try await output.send(.with { $0.head = Self.head(answer, Data()) })
                for bytes in answer.parts.prefix(min(answer.cutAfter ?? .max, answer.stallAfter ?? .max)) {
                    try await output.send(.with { $0.data = Data(bytes) })
                }
                if answer.stallAfter != nil, waits { try await Task.sleep(for: .seconds(86_400)) }
            } catch {
                closed()
                throw error
            }
            if answer.cutAfter != nil { throw Self.broken }
            if answer.stallAfter != nil { throw Self.late }
        }
    }

    private static var broken: PluginError {
        PluginError(.unavailable, "egress.broken", "The connection broke.", effect: .unknown)
    }

    private static var late: PluginError {
        PluginError(.deadlineExceeded, "egress.timeout", "No answer in time.", effect: .unknown)
    }

    private static func received(
        _ request: HostFetchRequest, _ bases: [String], _ secrets: [String: String]
    ) throws -> EmulatorRequest {
        guard let base = bases.first(where: { request.url.hasPrefix("\($0)/") }) else {
            throw PluginError(.permissionDenied, "egress.refused", "This host is not granted.")
        }
        let fields = request.headers.map { ($0.name, filled($0.value, secrets)) }
        return EmulatorRequest(
            method: request.method, uri: filled(String(request.url.dropFirst(base.count)), secrets),
            fields: fields + [("host", String(base.split(separator: "/").last ?? ""))], body: Array(request.body))
    }

    private static func head(_ answer: EmulatorAnswer, _ body: Data) -> HostFetchResponse {
        .with {
            $0.status = UInt32(answer.status)
            $0.headers = answer.headers.map { name, value in
                .with {
                    $0.name = name
                    $0.value = value
                }
            }
            $0.body = body
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
