// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials

/// A master key in versions: lines of `VERSION:BASE64`, 32 bytes each; the highest version is the current one.
struct Keyring {
    /// By version.
    let keys: [UInt32: SymmetricKey]
    /// By which data keys are wrapped.
    let current: UInt32

    /// Oldest first.
    var versions: [UInt32] { keys.keys.sorted() }

    /// Reads the lines; what they hold is in no error.
    init(_ text: String) throws {
        var keys: [UInt32: SymmetricKey] = [:]
        for (index, line) in text.split(whereSeparator: \.isNewline).enumerated() {
            let line = line.trimming { $0 == " " || $0 == "\t" }
            if line.isEmpty || line.hasPrefix("#") { continue }
            let parts = line.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let version = UInt32(parts[0]), version > 0,
                let key = Data(base64Encoded: String(parts[1])), key.count == 32
            else { throw KeyFileError.badKeyring("line \(index + 1) is not VERSION:BASE64 of 32 bytes") }
            // Zeros, what a template repeats, or a phrase: anybody may know it.
            guard Set(key).count > 8, !key.allSatisfy({ (0x20..<0x7f).contains($0) }) else {
                throw KeyFileError.badKeyring("version \(version) is no random key")
            }
            guard keys.updateValue(SymmetricKey(data: key), forKey: version) == nil else {
                throw KeyFileError.badKeyring("version \(version) is there twice")
            }
        }
        guard let current = keys.keys.max() else { throw KeyFileError.badKeyring("there is no key") }
        self.keys = keys
        self.current = current
    }

    /// One byte of format, four of the version, then nonce, ciphertext and tag.
    func wrap(_ plaintext: Data, _ associated: Data) throws -> Data {
        guard (1...64).contains(plaintext.count) else { throw KeyFileError.badKey }
        guard let key = keys[current] else { throw KeyFileError.unknownVersion(current) }
        let head = Self.head(current)
        guard let sealed = try AES.GCM.seal(plaintext, using: key, authenticating: head + associated).combined else {
            throw KeyFileError.tampered
        }
        return head + sealed
    }

    /// What ``wrap(_:_:)`` was given, and by which version.
    func unwrap(_ wrapped: Data, _ associated: Data) throws -> Data {
        let bytes = Array(wrapped)
        guard bytes.count > 5 + 12 + 16, bytes[0] == 1 else { throw KeyFileError.tampered }
        let version = bytes[1...4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard let key = keys[version] else { throw KeyFileError.unknownVersion(version) }
        do {
            let box = try AES.GCM.SealedBox(combined: Data(bytes[5...]))
            return try AES.GCM.open(box, using: key, authenticating: Self.head(version) + associated)
        } catch { throw KeyFileError.tampered }
    }

    private static func head(_ version: UInt32) -> Data {
        Data([
            1, UInt8(version >> 24 & 0xff), UInt8(version >> 16 & 0xff), UInt8(version >> 8 & 0xff),
            UInt8(version & 0xff),
        ])
    }
}

extension Substring {
    fileprivate func trimming(_ isOut: (Character) -> Bool) -> Substring {
        var rest = drop(while: isOut)
        while let last = rest.last, isOut(last) { rest.removeLast() }
        return rest
    }
}
