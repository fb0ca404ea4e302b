// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// How notifications are signed: HMAC-SHA-256 over `timestamp\nnonce\nbody\n`, in hexadecimal, by the key `simulator`.
struct Signature {
    static let timestampHeader = "simulator-timestamp"
    static let nonceHeader = "simulator-nonce"
    static let signatureHeader = "simulator-signature"
    /// How far the timestamp may be from now, in seconds.
    static let window: Int64 = 300

    /// Headers for a body.
    static func headers(for body: String, at now: Int64, forged: Bool, _ call: Call) async throws -> [HostHeader] {
        let timestamp = String(now / 1000)
        let nonce = ULID.next(at: now).description
        let request = HostMacRequest.with {
            $0.key = "simulator"
            $0.data = data(timestamp, nonce, Data(body.utf8))
        }
        var mac = Array(try await HostKeysClient(call).mac(request).mac)
        if forged { mac = mac.map { ~$0 } }
        return [
            header("content-type", "application/json"), header(timestampHeader, timestamp), header(nonceHeader, nonce),
            header(signatureHeader, Hex.encode(mac)),
        ]
    }

    /// UNAUTHENTICATED unless the request is the simulator's and fresh.
    static func verify(_ request: HTTPRequest, at now: Int64, _ call: Call) async throws {
        func header(_ name: String) -> String? { request.headers.first { $0.name == name }?.value }
        guard let timestamp = header(timestampHeader), let nonce = header(nonceHeader),
            let signature = header(signatureHeader)
        else { throw PaymentSimulatorError.badSignature("a header is missing") }
        guard let seconds = Int64(timestamp), let age = difference(now / 1000, seconds), age <= window else {
            throw PaymentSimulatorError.badSignature("its time is not within five minutes of now")
        }
        guard (1...64).contains(nonce.utf8.count), let mac = Hex.decode(signature), mac.count == 32 else {
            throw PaymentSimulatorError.badSignature("the signature is malformed")
        }
        let check = HostVerifyMacRequest.with {
            $0.key = "simulator"
            $0.data = data(timestamp, nonce, request.body)
            $0.mac = Data(mac)
        }
        guard try await HostKeysClient(call).verifyMac(check).valid else {
            throw PaymentSimulatorError.badSignature("the signature does not hold")
        }
    }

    private static func difference(_ a: Int64, _ b: Int64) -> Int64? {
        let (result, overflow) = a.subtractingReportingOverflow(b)
        return overflow || result == .min ? nil : abs(result)
    }

    private static func data(_ timestamp: String, _ nonce: String, _ body: Data) -> Data {
        Data("\(timestamp)\n\(nonce)\n".utf8) + body + Data("\n".utf8)
    }

    private static func header(_ name: String, _ value: String) -> HostHeader {
        .with {
            $0.name = name
            $0.value = value
        }
    }
}
