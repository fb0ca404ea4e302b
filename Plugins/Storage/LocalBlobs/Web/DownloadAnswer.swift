// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts

/// The head of the answer to a download, and which bytes follow it.
struct DownloadAnswer: Sendable {
    private(set) var head = HTTPResponse()
    /// Nil: none, and none for HEAD.
    private(set) var range: ByteRange?

    init(_ info: BlobBlobInfo, _ url: SignedURL, _ request: HTTPRequest) {
        head.set("etag", "\"\(info.etag)\"")
        head.set("cache-control", "private, no-cache")
        head.set("accept-ranges", "bytes")
        // The blob came from who knows where and shares an origin with the API.
        head.set("x-content-type-options", "nosniff")
        head.set("content-security-policy", "default-src 'none'; sandbox")
        head.set("cross-origin-resource-policy", "cross-origin")
        let ifMatch = request.header("if-match")
        if !ifMatch.isEmpty, !EntityTags(ifMatch).matches(info.etag) {
            end(412)
        } else if EntityTags(request.header("if-none-match")).matches(info.etag) {
            end(304)
        } else {
            choose(info, request)
            if range == nil { end(416) } else { describe(info, url) }
        }
    }

    private mutating func describe(_ info: BlobBlobInfo, _ url: SignedURL) {
        head.contentType = info.contentType
        head.set("content-disposition", Self.disposition(url.fileName))
    }

    private mutating func end(_ status: UInt32) {
        head.status = status
        if status != 304 { head.set("content-length", "0") }
    }

    private mutating func choose(_ info: BlobBlobInfo, _ request: HTTPRequest) {
        let ifRange = request.header("if-range")
        let holds = ifRange.isEmpty || (!ifRange.hasPrefix("W/") && EntityTags(ifRange).tags == [info.etag])
        let field = holds ? request.header("range") : ""
        switch ByteRange.read(field, of: info.size) {
        case .whole:
            range = ByteRange(whole: info.size)
            head.status = 200
        case .part(let part):
            range = part
            head.status = 206
            head.set("content-range", "bytes \(part.offset)-\(part.offset + part.count - 1)/\(info.size)")
        case .unsatisfiable:
            head.set("content-range", "bytes */\(info.size)")
        }
        if let range { head.set("content-length", "\(range.count)") }
    }

    /// RFC 6266: a name in ASCII for all, and the real one in UTF-8.
    static func disposition(_ fileName: String) -> String {
        guard !fileName.isEmpty else { return "inline" }
        let plain = String(
            String.UnicodeScalarView(
                fileName.unicodeScalars.map { scalar in
                    scalar.isASCII && scalar.value >= 0x20 && scalar.value != 0x7F
                        && !"\"\\/%".unicodeScalars.contains(scalar)
                        ? scalar : "_"
                }))
        var encoded = ""
        let kept = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        let digits = Array("0123456789ABCDEF")
        for byte in fileName.utf8 {
            if kept.contains(byte) {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded += "%"
                encoded.append(digits[Int(byte >> 4)])
                encoded.append(digits[Int(byte & 15)])
            }
        }
        return "attachment; filename=\"\(plain)\"; filename*=UTF-8''\(encoded)"
    }
}
