// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import LocalBlobs

/// Blobs by signed URLs, as the gateway hands the requests over.
struct SignedURLTests {
    struct Answer: Sendable {
        var status: UInt32 = 0
        var headers: [String: String] = [:]
        var contentType = ""
        var body = Data()
    }

    private func ask(
        _ bench: borrowing Bench, _ method: String, _ url: String, _ headers: [String: String] = [:],
        body: Data = Data()
    ) async throws -> Answer {
        // Whoever comes is nobody, of whatever tenant the route is for.
        let call = try await HTTPHandlerClient(bench.host.scope(as: "gateway", tenant: "elsewhere"), feature: "web")
            .handleStream()
        let token = String(url.split(separator: "/").last ?? "")
        try await call.send(
            .with {
                $0.head.method = method
                $0.head.pathParameters = [
                    .with {
                        $0.name = "token"; $0.value = token
                    }
                ]
                $0.head.headers = headers.map { pair in
                    .with {
                        $0.name = pair.key; $0.value = pair.value
                    }
                }
            })
        do {
            for start in stride(from: 0, to: body.count, by: 30_000) {
                try await call.send(.with { $0.data = body[start..<min(start + 30_000, body.count)] })
            }
        } catch let error as PluginError where error.reason == "plugin.stream_closed" {
            // Answered before all of it came.
        }
        call.finish()
        var answer = Answer()
        for try await part in call.responses {
            switch part.part {
            case .head(let head)?:
                answer.status = head.status
                answer.contentType = head.contentType
                for pair in head.headers { answer.headers[pair.name] = pair.value }
            case .data(let data)?: answer.body += data
            case nil: Issue.record("an empty part")
            }
        }
        return answer
    }

    @Test func aBlobIsReadByItsURL() async throws {
        let bench = try await Bench()
        let bytes = noise(400_000, seed: 4)
        let info = try await bench.blobs().put("a", bytes, BlobOptions(contentType: "text/html"))
        let signed = try await bench.blobs().urlToGet("a", seconds: 60, fileName: "剧本 \"1\".html")
        #expect(signed.url.hasPrefix("http://127.0.0.1:8080/api/v1/blobs/"))
        #expect(signed.expiresAt == bench.host.now + 60_000)
        let whole = try await ask(bench, "GET", signed.url)
        #expect(whole.status == 200 && whole.body == bytes && whole.contentType == "text/html")
        #expect(whole.headers["content-length"] == "400000" && whole.headers["etag"] == "\"\(info.etag)\"")
        #expect(whole.headers["x-content-type-options"] == "nosniff")
        #expect(whole.headers["content-security-policy"] == "default-src 'none'; sandbox")
        #expect(whole.headers["cache-control"] == "private, no-cache")
        #expect(
            whole.headers["content-disposition"]
                == "attachment; filename=\"__ _1_.html\"; filename*=UTF-8''%E5%89%A7%E6%9C%AC%20%221%22.html")
        let part = try await ask(bench, "GET", signed.url, ["range": "bytes=10-19"])
        #expect(part.status == 206 && part.body == bytes[10..<20])
        #expect(part.headers["content-range"] == "bytes 10-19/400000" && part.headers["content-length"] == "10")
        let head = try await ask(bench, "HEAD", signed.url)
        #expect(head.status == 200 && head.body.isEmpty && head.headers["content-length"] == "400000")
        let tag = "\"\(info.etag)\""
        #expect(try await ask(bench, "GET", signed.url, ["if-none-match": "\"x\", W/\(tag)"]).status == 304)
        #expect(try await ask(bench, "GET", signed.url, ["if-match": "\"x\""]).status == 412)
        #expect(try await ask(bench, "GET", signed.url, ["range": "bytes=400000-"]).status == 416)
        #expect(try await ask(bench, "GET", signed.url, ["range": "bytes=0-1", "if-range": tag]).status == 206)
        #expect(try await ask(bench, "GET", signed.url, ["range": "bytes=0-1", "if-range": "\"x\""]).status == 200)
    }

    @Test func aBlobIsStoredByItsURL() async throws {
        let bench = try await Bench()
        let signed = try await bench.blobs().urlToPut("up", seconds: 60, contentType: "image/png", maxBytes: 100_000)
        #expect(signed.headers == ["content-type": "image/png"])
        let png = ["content-type": "image/png"]
        let bytes = noise(100_000, seed: 6)
        let answer = try await ask(bench, "PUT", signed.url, png, body: bytes)
        #expect(answer.status == 200 && answer.headers["etag"] == "\"\(Hex.encode(Digest.sha256(bytes)))\"")
        let (info, back) = try await bench.blobs().get("up", limit: 100_000)
        #expect(back == bytes && info.contentType == "image/png")
        #expect(await reason { _ = try await ask(bench, "PUT", signed.url, body: bytes) } == "blob.bad_type")
        #expect(try await ask(bench, "PUT", signed.url, png, body: noise(100_001, seed: 1)).status == 413)
        let length = png.merging(["content-length": "100001"]) { $1 }
        #expect(try await ask(bench, "PUT", signed.url, length).status == 413)
        let absent = png.merging(["if-none-match": "*"]) { $1 }
        #expect(try await ask(bench, "PUT", signed.url, absent, body: bytes).status == 412)
        #expect(try await bench.blobs().stat("up")?.size == 100_000)
    }

    @Test func anotherMethodTokenOrTimeIsRefused() async throws {
        let bench = try await Bench()
        try await bench.blobs().put("a", Data("x".utf8))
        let get = try await bench.blobs().urlToGet("a", seconds: 60).url
        let put = try await bench.blobs().urlToPut("a", seconds: 60).url
        #expect(await reason { _ = try await ask(bench, "PUT", get) } == "blob.bad_url")
        #expect(await reason { _ = try await ask(bench, "GET", put) } == "blob.bad_url")
        let prefix = "http://127.0.0.1:8080/api/v1/blobs/"
        let token = get.dropFirst(prefix.count)
        let half = token.firstIndex(of: ".") ?? token.startIndex
        // Another key under the same code, a code of another length, no code, nothing.
        let other = SignedURL(
            method: "GET", tenant: "default", instance: "drafting", key: "b", expiresAt: bench.host.now + 60_000)
        let forged = Base64URL.encode(try JSONEncoder().encode(other)) + token[half...]
        for bad in [forged, String(token.dropLast(2)), String(token[..<half]), "", ".", "a.b", token + "."] {
            #expect(await reason { _ = try await ask(bench, "GET", prefix + bad) } == "blob.bad_url")
        }
        for index in stride(from: 0, to: token.count, by: 7) {
            var text = Array(token)
            text[index] = text[index] == "A" ? "B" : "A"
            // The last character's spare bits are the only ones that say nothing.
            guard index < token.count - 1 else { continue }
            #expect(await reason { _ = try await ask(bench, "GET", prefix + String(text)) } == "blob.bad_url")
        }
        bench.host.advance(milliseconds: 60_000)
        #expect(await reason { _ = try await ask(bench, "GET", get) } == "blob.url_expired")
    }

    @Test func requestsOutOfBoundsAreRefused() async throws {
        let bench = try await Bench()
        let store = bench.store()
        func refusal(_ edit: (inout BlobPresignRequest) -> Void) async -> String? {
            var request = BlobPresignRequest.with {
                $0.method = "GET"
                $0.key = "k"
                $0.expiresInS = 1
            }
            edit(&request)
            let made = request
            return await reason { _ = try await store.presign(made) }
        }
        #expect(await refusal { _ in } == nil)
        #expect(await refusal { $0.method = "DELETE" } == "blob.bad_method")
        #expect(await refusal { $0.expiresInS = 0 } == "blob.bad_expires_in_s")
        #expect(await refusal { $0.expiresInS = 604_801 } == "blob.bad_expires_in_s")
        #expect(await refusal { $0.key = "../k" } == "blob.bad_key")
        #expect(await refusal { $0.maxBytes = 1 } == "blob.bad_method")
        #expect(
            await refusal {
                $0.method = "PUT"; $0.maxBytes = -1
            } == "blob.bad_max_bytes")
    }
}

/// Range fields.
struct ByteRangeTests {
    @Test(arguments: [
        ("bytes=0-0", 0, 1), ("bytes=5-", 5, 5), ("bytes=-3", 7, 3), ("bytes=-30", 0, 10), ("bytes=2-99", 2, 8),
        ("Bytes=9-9", 9, 1), ("bytes=1-99999999999999999999", 1, 9),
    ])
    func partsAreRead(_ field: String, _ offset: Int64, _ count: Int64) throws {
        guard case .part(let part) = ByteRange.read(field, of: 10) else {
            Issue.record("no part")
            return
        }
        #expect(part.offset == offset && part.count == count)
    }

    @Test(arguments: ["", "bytes=", "bytes=-", "bytes=3-2", "bytes=0-1,4-5", "items=0-1", "bytes=a-b", "bytes=+1-2"])
    func whatIsNotUnderstoodIsTheWhole(_ field: String) { #expect(ByteRange.read(field, of: 10) == .whole) }

    @Test(arguments: ["bytes=10-", "bytes=10-20", "bytes=-0"])
    func whatIsBeyondIsUnsatisfiable(_ field: String) { #expect(ByteRange.read(field, of: 10) == .unsatisfiable) }

    @Test func anEmptyBlobHasNoParts() {
        #expect(ByteRange.read("bytes=0-", of: 0) == .unsatisfiable)
        #expect(ByteRange.read("bytes=-1", of: 0) == .unsatisfiable)
        #expect(ByteRange(offset: 0, length: 0, of: 0)?.count == 0)
        #expect(ByteRange(offset: .min, length: 0, of: 5) == nil)
    }
}
