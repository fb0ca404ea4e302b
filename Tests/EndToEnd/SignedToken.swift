// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import TheatreManifest

/// A compact JWS taken apart, to be put together otherwise.
struct SignedToken {
    var header: [String: JSONValue]
    var claims: [String: JSONValue]
    /// What was signed, and its signature.
    let input: Data
    let signature: Data

    init(_ text: String) throws {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else { throw Unexpected("a token has three parts: \(text)") }
        header = try JSONValue(json: try Base64URL.decode(parts[0])).object ?? [:]
        claims = try JSONValue(json: try Base64URL.decode(parts[1])).object ?? [:]
        input = Data("\(parts[0]).\(parts[1])".utf8)
        signature = try Base64URL.decode(parts[2])
    }

    /// Put together and signed.
    func signed(_ sign: (Data) throws -> Data) throws -> String {
        let parts = try [header, claims].map {
            Base64URL.encode(try JSONValue.object($0.filter { $1 != .null }).json())
        }
        let input = parts.joined(separator: ".")
        return "\(input).\(Base64URL.encode(try sign(Data(input.utf8))))"
    }
}

enum Base64URL {
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    static func decode(_ text: String) throws -> Data {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        let base64 = text.replacing("-", with: "+").replacing("_", with: "/") + padding
        guard let data = Data(base64Encoded: base64) else { throw Unexpected("\(text) is not base64url") }
        return data
    }
}

/// A key that a deployment brings along.
enum SigningKey {
    static func jwk(_ key: P256.Signing.PrivateKey) throws -> String {
        let point = key.publicKey.rawRepresentation
        let jwk: JSONValue = .object([
            "kty": .string("EC"), "crv": .string("P-256"), "x": .string(Base64URL.encode(point.prefix(32))),
            "y": .string(Base64URL.encode(point.suffix(32))), "d": .string(Base64URL.encode(key.rawRepresentation)),
        ])
        return String(decoding: try jwk.json(), as: UTF8.self)
    }
}
