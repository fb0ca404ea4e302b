// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts
import TheatrePlugin

/// A blob to come, checked.
struct BlobDraft: Sendable, Hashable {
    var key: String
    var contentType: String
    /// A JSON object.
    var metadata: String
    var conditions: BlobConditions
    /// Bytes to come; 0 where that is not known.
    var size: Int64
    /// SHA-256 to come, in hexadecimal, or empty.
    var sha256: String

    /// - Throws: INVALID_ARGUMENT, OUT_OF_RANGE `blob.too_large`.
    init(_ start: BlobPutStart, _ configuration: LocalBlobsConfiguration) throws {
        key = try Self.key(start.key)
        contentType = try Self.contentType(start.contentType, allowed: configuration.contentTypes)
        metadata = try BlobMetadata.text(start.metadata)
        conditions = BlobConditions(ifAbsent: start.conditions.ifAbsent, ifMatch: start.conditions.ifMatch)
        size = start.size
        sha256 = start.sha256.lowercased()
        guard size >= 0 else { throw LocalBlobsError.bad("size", "0 or more") }
        guard size <= configuration.maxBytes else { throw LocalBlobsError.tooLarge(configuration.maxBytes) }
        guard sha256.isEmpty || (sha256.utf8.count == 64 && Hex.decode(sha256) != nil) else {
            throw LocalBlobsError.bad("sha256", "64 hexadecimal digits")
        }
    }

    static func key(_ key: String) throws -> String {
        guard (1...512).contains(key.utf8.count) else { throw LocalBlobsError.badKey("has \(key.utf8.count) bytes") }
        guard key.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw LocalBlobsError.badKey("has a control character")
        }
        for segment in key.split(separator: "/", omittingEmptySubsequences: false) {
            guard !segment.isEmpty else { throw LocalBlobsError.badKey("has an empty segment") }
            guard segment != ".", segment != ".." else { throw LocalBlobsError.badKey("has the segment \(segment)") }
        }
        return key
    }

    static func contentType(_ given: String, allowed: [String]) throws -> String {
        let type = given.isEmpty ? "application/octet-stream" : given
        let essence = type.prefix { $0 != ";" }.trimming(" ").lowercased()
        let parts = essence.split(separator: "/", omittingEmptySubsequences: false)
        let isToken = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"()<>@,;:\\\"/[]?=*".utf8.contains($0) }
        }
        guard parts.count == 2, isToken, type.utf8.count <= 255, type.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F })
        else { throw LocalBlobsError.badType(type, []) }
        let isAllowed =
            allowed.isEmpty
            || allowed.contains {
                $0 == essence || $0 == "*/*" || ($0.hasSuffix("/*") && essence.hasPrefix($0.dropLast()))
            }
        guard isAllowed else { throw LocalBlobsError.badType(type, allowed) }
        return type
    }
}

extension Substring {
    fileprivate func trimming(_ character: Character) -> Substring {
        var rest = self
        while rest.first == character { rest.removeFirst() }
        while rest.last == character { rest.removeLast() }
        return rest
    }
}

/// What must be there for a blob to be put or deleted.
struct BlobConditions: Sendable, Hashable {
    /// There must be none.
    var ifAbsent = false
    /// There must be the one with this ETag; empty: any or none.
    var ifMatch = ""

    /// - Parameter current: the digest of what is there, or nil.
    func check(_ current: String?) throws {
        if ifAbsent, current != nil { throw LocalBlobsError.exists }
        if !ifMatch.isEmpty, current != ifMatch.lowercased() { throw LocalBlobsError.changed }
    }
}

/// A blob's metadata, as a row holds it: a JSON object with its names in order.
enum BlobMetadata {
    static func text(_ pairs: [String: String]) throws -> String {
        let bytes = pairs.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        guard pairs.count <= 32, bytes <= 4096, pairs.keys.allSatisfy({ (1...128).contains($0.utf8.count) }) else {
            throw LocalBlobsError.badMetadata
        }
        guard !pairs.isEmpty else { return "{}" }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(pairs), as: UTF8.self)
    }

    static func pairs(_ text: String) throws -> [String: String] {
        text == "{}" ? [:] : try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
    }
}
