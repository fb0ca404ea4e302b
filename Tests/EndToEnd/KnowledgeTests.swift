// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOHTTP1
import Testing
import TheatreManifest

/// Texts become what is searched, over the running server.
@Suite(.serialized) struct KnowledgeTests {
    private static let hall = """
        第一回 虹桥
        汴河上有一座虹桥，桥下船只往来不绝。州桥夜市最热闹，直到三更。水陆百货都从这里进城，挑担的、赶车的、撑船的，
        从清早一直忙到天黑。

        第二回 樊楼
        樊楼是东京最大的酒楼，楼高三层。飞桥栏槛，明暗相通。

        """

    @Test func aTextIsImportedIndexedReleasedAndFoundWithItsPlace() async throws {
        let server = try await ServerProcess.start(Sources.defaultDeployment)
        let owner = try await Account.new(on: server)
        let base = try await KnowledgeBase.new(of: owner, Self.hall)
        let client = owner.client

        let results = try await client.expect(200, .GET, "/api/v1/rag/import-jobs/\(base.importJob)")["results"]?.array
        #expect(results?.compactMap { $0["outcome"]?.string } == ["ADDED", "REFUSED"])
        #expect(results?.last?["reason"]?.string == "knowledge.not_utf8")
        let search = "/api/v1/rag/collections/\(base.collection):search?q=\(Self.encoded("樊楼 酒楼"))"
        let early = try await client.get(search)
        #expect(early.status == 404)
        #expect(try early.json.value(at: "/details/reason")?.string == "knowledge.unreleased")

        let key = Account.key()
        let release = "/api/v1/rag/kb-versions/\(base.version):release"
        let released = try await client.expect(200, .POST, release, .object([:]), key: key)
        #expect(released["status"]?.string == "RELEASED" && released["current"]?.bool == true)
        #expect(released["embedder"]?.string == "offline-hashing-256")
        #expect(
            try await client.expect(200, .POST, release, .object([:]), key: key) == released, "the key's own answer")

        let found = try await client.expect(200, .GET, search)
        #expect(found["degraded"] == .null && found["version_id"]?.string == base.version)
        let hit = try #require(found["items"]?.array?.first)
        #expect(hit["heading_path"]?.array?.compactMap(\.string) == ["第二回 樊楼"])
        #expect(hit["text_rank"]?.integer == 1 && (hit["vector_rank"]?.integer ?? 0) > 0)
        let range = Int(hit["start"]?.integer ?? 0)..<Int(hit["end"]?.integer ?? 0)
        let cited = String(String.UnicodeScalarView(Array(Self.hall.unicodeScalars)[range]))
        #expect(hit["text"]?.string == cited && cited.contains("东京最大的酒楼"))
        let chunk = try await client.expect(200, .GET, "/api/v1/rag/chunks/\(try hit.text("/chunk_id"))")
        #expect(chunk["text"] == hit["text"] && chunk["item_name"]?.string == "hall.txt")

        let back = try await client.expect(
            200, .POST, "/api/v1/rag/kb-versions/\(base.version):rollback",
            .object(["reason": .string("of another book")]), key: Account.key())
        #expect(back["status"]?.string == "ROLLED_BACK" && back["rollback_reason"]?.string == "of another book")
        #expect(try await client.get(search).status == 404)
        let stranger = try await Account.new(on: server)
        #expect(try await stranger.client.get(search).status == 403)
        try await server.stop()
    }

    /// A parameter of a query as it is sent.
    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte)
            return isPlain
                ? String(UnicodeScalar(byte)) : "%" + String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }
}

/// A collection with one text, in a version that is indexed.
struct KnowledgeBase {
    let collection: String
    let importJob: String
    let version: String

    /// In a project of its own, or in `project`.
    static func new(of owner: Account, _ text: String, in project: String = "") async throws -> KnowledgeBase {
        let client = owner.client
        var project = project
        if project.isEmpty {
            project = try await client.expect(
                201, .POST, "/api/v1/projects", .object(["name": .string("Test"), "language": .string("zh")]),
                key: Account.key()
            ).text("/id")
        }
        let collection = try await client.expect(
            201, .POST, "/api/v1/projects/\(project)/rag/collections", .object(["name": .string("Sources")]),
            key: Account.key()
        ).text("/id")
        let sources: JSONValue = .array([
            .object(["name": .string("hall.txt"), "text": .string(text)]),
            // Base64 of a byte that is not UTF-8.
            .object(["name": .string("bad.txt"), "content": .string("/w==")]),
        ])
        let job = try await client.expect(
            202, .POST, "/api/v1/rag/collections/\(collection)/import-jobs", .object(["sources": sources]),
            key: Account.key()
        ).text("/id")
        try await eventually("the import is done", seconds: 60) {
            let state = try await client.expect(200, .GET, "/api/v1/rag/import-jobs/\(job)")
            return state["status"]?.string == "SUCCEEDED" ? true : nil
        }
        let version = try await client.expect(
            202, .POST, "/api/v1/rag/collections/\(collection)/kb-versions", .object(["note": .string("first")]),
            key: Account.key()
        ).text("/id")
        try await eventually("the version is indexed", seconds: 60) {
            let state = try await client.expect(200, .GET, "/api/v1/rag/kb-versions/\(version)")
            if let failure = state["failure"]?.string { throw Unexpected("indexing failed: \(failure)") }
            return state["status"]?.string == "INDEXED" ? true : nil
        }
        return KnowledgeBase(collection: collection, importJob: job, version: version)
    }

    /// A chunk of it.
    func chunk(_ client: Client) async throws -> String {
        try await client.expect(
            200, .GET, "/api/v1/rag/collections/\(collection):search?q=1&version_id=\(version)"
        ).text("/items/0/chunk_id")
    }
}
