// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import FoundationEssentials
public import Runtime
internal import TheatreManifest

/// An operator's Ed25519 signature of a library, kept beside it as `libNAME.so.sig`: lines of a key's name and the
/// signature in base 64.
///
/// What is signed is four lines: `theatre plugin signature 1`, the plugin's name, its version, the SHA-256 of its file.
public enum Signature {
    /// The bytes that are signed.
    static func message(_ file: PluginFile) -> Data {
        Data("theatre plugin signature 1\n\(file.manifest.name)\n\(file.manifest.version)\n\(file.digest)\n".utf8)
    }

    /// Where the signatures of a library are.
    public static func path(of library: String) -> String { "\(library).sig" }

    /// A line to append to the signatures of a library.
    ///
    /// - Parameters:
    ///   - name: of the key, as its public half is named in the keys' folder.
    ///   - key: PEM file of an Ed25519 private key, such as `openssl genpkey -algorithm ed25519` makes.
    /// - Throws: ``TrustFailure`` where the key cannot be used.
    public static func line(_ file: PluginFile, name: String, key: String) throws(TrustFailure) -> String {
        "\(name) \(try PEM.signature(of: message(file), key: key))\n"
    }

    /// The name of a key in `folder` that signed the library; nil where none did.
    ///
    /// - Parameters:
    ///   - folder: PEM files NAME.pem of Ed25519 public keys, such as `openssl pkey -pubout` makes.
    ///   - library: where the library's file is, to find its signatures beside it.
    /// - Throws: ``TrustFailure`` where a key cannot be read.
    public static func signer(_ file: PluginFile, library: String, folder: String) throws(TrustFailure) -> String? {
        guard let text = try? String(contentsOf: URL(filePath: path(of: library)), encoding: .utf8) else { return nil }
        return try PEM.signer(of: message(file), lines: text.split(separator: "\n").map(String.init), folder: folder)
    }
}

/// PEM files of Ed25519 keys: a fixed head and 32 bytes (RFC 8410).
enum PEM {
    static let privatePrefix: [UInt8] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ]
    static let publicPrefix: [UInt8] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]

    /// A signature in base 64.
    static func signature(of message: Data, key: String) throws(TrustFailure) -> String {
        let raw = try PEM.key(key, prefix: privatePrefix)
        do {
            return try Curve25519.Signing.PrivateKey(rawRepresentation: raw).signature(for: message)
                .base64EncodedString()
        } catch {
            throw TrustFailure("\(key) cannot sign: \(error)")
        }
    }

    /// Which of the lines, of a key's name and a signature in base 64, is of a key in `folder`.
    static func signer(of message: Data, lines: [String], folder: String) throws(TrustFailure) -> String? {
        for line in lines.prefix(64) {
            let words = line.split(separator: " ")
            guard words.count == 2, let signature = Data(base64Encoded: String(words[1])) else { continue }
            let name = String(words[0])
            // A name is a name: it leads to no other folder.
            let path = "\(folder)/\(name).pem"
            guard !name.contains("/"), FileManager.default.fileExists(atPath: path) else { continue }
            let raw = try PEM.key(path, prefix: PEM.publicPrefix)
            guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: raw) else { continue }
            if key.isValidSignature(signature, for: message) { return name }
        }
        return nil
    }

    static func key(_ path: String, prefix: [UInt8]) throws(TrustFailure) -> [UInt8] {
        let kind = prefix == privatePrefix ? "private" : "public"
        guard let text = try? String(contentsOf: URL(filePath: path), encoding: .utf8) else {
            throw TrustFailure("\(path) cannot be read; it should be the PEM file of an Ed25519 \(kind) key")
        }
        let body = text.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
        guard let der = Data(base64Encoded: body), der.count == prefix.count + 32, der.starts(with: prefix) else {
            throw TrustFailure("\(path) is not the PEM file of an Ed25519 \(kind) key")
        }
        return Array(der.suffix(32))
    }
}
