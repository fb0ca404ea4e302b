// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import NIOHTTP1

/// The header fields the gateway itself reads, found in one pass.
struct RequestHeaders {
    var authorization: String?
    var contentLength: Int?
    var expectsContinue = false
    var isChunked = false
    var idempotencyKey: String?
    var requestID: String?
    var traceparent: String?
    var acceptLanguage: String?
    var lastEventID: String?
    var origin: String?
    var cookie: String?
    var fetchSite: String?
    var requestedMethod: String?
    /// X-Forwarded-For, all of them in the order sent.
    var forwardedFor: String?
    /// Names an approval of this very request.
    var approval: String?
    /// The body is compressed, which nothing here undoes.
    var isEncoded = false
    /// How many Host fields there are, of HTTP/1.
    private var hosts = 0
    /// A fault that makes the request unreadable.
    var fault: String?
    var bytes = 0
    var count = 0

    /// No fields.
    init() {}

    init(_ headers: HTTPHeaders) {
        for (name, value) in headers {
            count += 1
            let length = name.utf8.count
            bytes += length + value.utf8.count
            switch length {
            case 4 where name.isField("host"): takeHost(isHost: value.utf8.allSatisfy(Self.mayBeInHost))
            case 6 where name.isField("origin"): origin = value
            case 6 where name.isField("cookie"): cookie = cookie.map { "\($0); \(value)" } ?? value
            case 6 where name.isField("expect"): expectsContinue = value.isField("100-continue")
            case 11 where name.isField("traceparent"): traceparent = value
            case 12 where name.isField("x-request-id"): requestID = value
            case 13 where name.isField("authorization"):
                if authorization != nil { fault = "Authorization is given twice; send it once." }
                authorization = value
            case 13 where name.isField("last-event-id"): lastEventID = value
            case 14 where name.isField("content-length"): readLength(value)
            case 14 where name.isField("sec-fetch-site"): fetchSite = value
            case 15 where name.isField("idempotency-key"):
                if idempotencyKey != nil { fault = "Idempotency-Key is given twice; send it once." }
                idempotencyKey = value
            case 15 where name.isField("accept-language"): acceptLanguage = value
            case 15 where name.isField("x-forwarded-for"): addForwarded(value)
            case 16 where name.isField("content-encoding"): isEncoded = isEncoded || !value.isField("identity")
            case 16 where name.isField("theatre-approval"): approval = value
            case 17 where name.isField("transfer-encoding"):
                if isChunked || !value.isField("chunked") {
                    fault = "Transfer-Encoding must be chunked, and given once."
                }
                isChunked = true
            case 29 where name.isField("access-control-request-method"): requestedMethod = value
            default: break
            }
        }
        if isChunked, contentLength != nil { fault = "Content-Length and Transfer-Encoding exclude each other." }
    }

    /// Notes a field of printable ASCII.
    mutating func count(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
        count += 1
        bytes += name.count + value.count
        return true
    }

    /// Reads a field of printable ASCII where it lies; false where it is given twice and may not, or is not well-formed.
    mutating func take(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, known: String?) -> Bool {
        switch name.count {
        case 4 where name.isField("host"):
            guard hosts == 0, value.allSatisfy(Self.mayBeInHost) else { return false }
            hosts = 1
        case 6 where name.isField("origin"): origin = Self.text(value)
        case 6 where name.isField("cookie"):
            guard cookie == nil else { return false }
            cookie = Self.text(value)
        case 11 where name.isField("traceparent"): traceparent = Self.text(value)
        case 12 where name.isField("x-request-id"): requestID = Self.text(value)
        case 13 where name.isField("authorization"):
            guard authorization == nil else { return false }
            authorization = Self.text(value, known: known)
        case 13 where name.isField("last-event-id"): lastEventID = Self.text(value)
        case 14 where name.isField("content-length"):
            guard contentLength == nil, (1...15).contains(value.count) else { return false }
            var length = 0
            for byte in value {
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return false }
                length = length * 10 + Int(byte - UInt8(ascii: "0"))
            }
            contentLength = length
        case 14 where name.isField("sec-fetch-site"): fetchSite = Self.text(value)
        case 15 where name.isField("idempotency-key"):
            guard idempotencyKey == nil else { return false }
            idempotencyKey = Self.text(value)
        case 15 where name.isField("accept-language"): acceptLanguage = Self.text(value)
        case 15 where name.isField("x-forwarded-for"): addForwarded(Self.text(value))
        case 16 where name.isField("content-encoding"): isEncoded = isEncoded || !value.isField("identity")
        case 16 where name.isField("theatre-approval"): approval = Self.text(value)
        case 29 where name.isField("access-control-request-method"): requestedMethod = Self.text(value)
        default: break
        }
        return count(name, value)
    }

    /// The text of a value, which is `known` itself where it is the same.
    private static func text(_ value: UnsafeRawBufferPointer, known: String? = nil) -> String {
        if let known, known.utf8.count == value.count,
            known.utf8.withContiguousStorageIfAvailable({ isSame($0, value) }) == true
        {
            return known
        }
        return String(decoding: value, as: UTF8.self)
    }

    private static func isSame(_ one: UnsafeBufferPointer<UInt8>, _ other: UnsafeRawBufferPointer) -> Bool {
        guard let one = one.baseAddress, let start = other.baseAddress else { return other.isEmpty }
        return memcmp(one, start, other.count) == 0
    }

    private mutating func takeHost(isHost: Bool) {
        hosts += 1
        if hosts > 1 { fault = "Host is given twice; send it once." }
        if !isHost { fault = "Host must be a name or an address, and a port." }
    }

    /// Host names nothing here, but what stands before this host may decide by it: it must be one, and readable.
    private static func mayBeInHost(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: ":"),
            UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "%"):
            true
        default: false
        }
    }

    /// What is wrong with the fields in a request of this version.
    func fault(in version: HTTPVersion) -> String? {
        if let fault { return fault }
        if version == .http1_1, hosts == 0 { return "Host is missing." }
        if version.major == 1, version.minor == 0, isChunked { return "HTTP/1.0 has no Transfer-Encoding." }
        return nil
    }

    private mutating func addForwarded(_ value: String) {
        forwardedFor = forwardedFor.map { "\($0),\(value)" } ?? value
    }

    private mutating func readLength(_ value: String) {
        guard contentLength == nil, !value.isEmpty, value.utf8.count < 16,
            value.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }), let length = Int(value)
        else {
            fault = "Content-Length must be one decimal number."
            return
        }
        contentLength = length
    }
}

extension String {
    /// Whether this is the ASCII word `other`, which is lower-case, in any case.
    func isField(lowercase other: String) -> Bool {
        utf8.count == other.utf8.count
            && zip(utf8, other.utf8).allSatisfy { ($0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0) == $1 }
    }

    /// Whether this is the ASCII word `other`, which is lower-case, in any case.
    func isField(_ other: StaticString) -> Bool {
        guard utf8.count == other.utf8CodeUnitCount else { return false }
        var pointer = other.utf8Start
        for byte in utf8 {
            let lower = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
            if lower != pointer.pointee { return false }
            pointer += 1
        }
        return true
    }
}
