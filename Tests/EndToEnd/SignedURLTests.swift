// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Crypto
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Testing

/// Blobs by signed URLs, through the real process: listener, gateway, plugin, keys, database and disk.
@Suite(.serialized) struct SignedURLTests {
    /// The key that the deployment's store signs with, put where the host looks for it.
    private static let secret = Data((0..<32).map { UInt8($0) })

    private func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let keys = folder.path("state/keys/blobs")
        try FileManager.default.createDirectory(atPath: keys, withIntermediateDirectories: true)
        let jwk = #"{"kty":"oct","alg":"HS256","k":"\#(Self.base64URL(Self.secret))"}"#
        try Data(jwk.utf8).write(to: URL(filePath: keys + "/0001.jwk"))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keys + "/0001.jwk")
        return folder
    }

    /// What the store gives a plugin that asks for a URL.
    private func path(_ method: String, _ key: String, seconds: Int64 = 600, maxBytes: Int = 0) -> String {
        let expiry = (Int64(Date().timeIntervalSince1970) + seconds) * 1000
        let payload = Data(
            #"{"c":"","e":\#(expiry),"f":"","i":"studio","k":"\#(key)","m":"\#(method)","s":\#(maxBytes),"t":"default"}"#
                .utf8)
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("theatre.blob.v1 url\n".utf8) + payload, using: SymmetricKey(data: Self.secret))
        return "/api/v1/blobs/\(Self.base64URL(payload)).\(Self.base64URL(Data(code)))"
    }

    private static func base64URL(_ bytes: Data) -> String {
        bytes.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private func put(_ server: ServerProcess, _ path: String, _ bytes: [UInt8], chunked: Bool = false) async throws
        -> UInt
    {
        var request = HTTPClientRequest(url: server.url + path)
        request.method = .PUT
        let buffer = ByteBuffer(bytes: bytes)
        request.body = chunked ? .stream(Pieces(buffer), length: .unknown) : .bytes(buffer)
        return try await HTTPClient.shared.execute(request, timeout: .seconds(60)).status.code
    }

    /// A buffer in pieces of odd sizes.
    private struct Pieces: AsyncSequence, Sendable {
        let buffer: ByteBuffer

        init(_ buffer: ByteBuffer) { self.buffer = buffer }

        struct AsyncIterator: AsyncIteratorProtocol {
            var buffer: ByteBuffer

            mutating func next() async -> ByteBuffer? {
                buffer.readableBytes == 0 ? nil : buffer.readSlice(length: Swift.min(buffer.readableBytes, 77_777))
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(buffer: buffer) }
    }

    @Test(arguments: StorageEngine.allCases)
    func blobsGoInAndOutAndSurviveAKill(_ engine: StorageEngine) async throws {
        let folder = try folder()
        let (deployment, environment) = try await engine.deployment()
        let server = try await ServerProcess.start(deployment.root, folder: folder, environment: environment)
        let bytes = (0..<12_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let tag =
            "\"" + SHA256.hash(data: bytes).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            + "\""
        #expect(try await put(server, path("PUT", "film"), bytes, chunked: true) == 200)
        #expect(try await put(server, path("PUT", "small", maxBytes: 10), Array("0123456789".utf8)) == 200)
        #expect(try await put(server, path("PUT", "small", maxBytes: 10), Array("0123456789A".utf8)) == 413)
        try await server.crash()

        let second = try await ServerProcess.start(deployment.root, folder: folder, environment: environment)
        let client = second.client
        let whole = try await client.get(path("GET", "film"))
        #expect(whole.status == 200 && whole.body == bytes && whole.headers.first(name: "etag") == tag)
        #expect(whole.headers.first(name: "content-length") == "12000000")
        let part = try await client.get(path("GET", "film"), headers: [("Range", "bytes=5000000-5000099")])
        #expect(part.status == 206 && part.body == Array(bytes[5_000_000..<5_000_100]))
        #expect(try await client.get(path("GET", "film"), headers: [("If-None-Match", tag)]).status == 304)
        let head = try await client.send(.HEAD, path("GET", "film"), nil)
        #expect(head.status == 200 && head.body.isEmpty && head.headers.first(name: "content-length") == "12000000")
        #expect(try await client.get(path("GET", "small")).text == "0123456789")
        #expect(try await client.get(path("GET", "none")).status == 404)
        #expect(try await client.get(path("GET", "film", seconds: -1)).status == 403)
        #expect(try await client.get(path("PUT", "film")).status == 403)
        #expect(try await client.get(path("GET", "film") + "A").status == 403)
        #expect(try await client.get("/api/v1/blobs/nonsense").status == 403)
        #expect(try await client.send(.DELETE, path("GET", "film"), nil).status == 405)
        try await second.stop()
    }
}
