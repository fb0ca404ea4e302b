// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Knowledge

/// The plugin as its callers see it.
struct KnowledgeTests {
    private static let bridge = """
        第一回 虹桥
        汴河上有一座虹桥，桥下船只往来不绝。州桥夜市最热闹，直到三更。水陆百货都从这里进城，挑担的、赶车的、撑船的，
        从清早一直忙到天黑。

        第二回 樊楼
        樊楼是东京最大的酒楼，楼高三层。飞桥栏槛，明暗相通。
        """
    private static let tea =
        "# Tea\nTea houses opened before dawn. Café owners lit lanterns at night.\n\n## Price\nA cup cost two coins.\n"

    @Test(arguments: KnowledgeStage.Engine.allCases)
    func aTextIsImportedIndexedReleasedAndFound(_ engine: KnowledgeStage.Engine) async throws {
        let stage = try await KnowledgeStage(engine)
        let collection = try await stage.collection()
        let results = try await stage.add([("bridge.txt", Self.bridge), ("tea.md", Self.tea)], to: collection)
        #expect(results.map(\.outcome) == [.added, .added] && results.allSatisfy { $0.grown == $0.length })
        await refused("knowledge.unreleased") { try await stage.search(collection, "樊楼") }

        let version = try await stage.version(of: collection)
        #expect(version.status == .indexed && version.number == 1 && version.items == 2 && version.failure.isEmpty)
        #expect(version.chunks >= 3 && version.vectors == version.chunks)
        #expect(version.embedder == "offline-hashing-256" && version.dimensions == 256 && !version.current)
        #expect(try await stage.search(collection, "樊楼", version: version.id).items.first?.itemName == "bridge.txt")

        let released = try await stage.release(version.id)
        #expect(released.status == .released && released.current && released.releasedAt > 0)
        let found = try await stage.search(collection, "樊楼")
        let hit = try #require(found.items.first)
        #expect(found.versionID == version.id && found.degraded.isEmpty)
        #expect(hit.headingPath == ["第二回 樊楼"] && hit.textRank == 1 && hit.vectorRank > 0 && hit.textScore > 0)
        let scalars = Array(Self.bridge.unicodeScalars)[Int(hit.start)..<Int(hit.end)]
        #expect(String(String.UnicodeScalarView(scalars)) == hit.text && hit.text.contains("酒楼"))
        #expect(abs(hit.score - (1 / 61.0 + 1 / Double(60 + hit.vectorRank))) < 1e-12)

        let chunk = try await stage.client().getChunk(.with { $0.chunkID = hit.chunkID })
        #expect(chunk.text == hit.text && chunk.itemID == results[0].itemID && chunk.sha256 == results[0].sha256)
        #expect(try await stage.search(collection, "楼").items.contains { $0.textRank > 0 && $0.text.contains("樊楼") })
        #expect(try await stage.search(collection, "CAFE").items.first?.headingPath == ["Tea"])
        #expect(stage.host.violations.isEmpty)
    }

    @Test func importsTellWhatBecameOfEachSource() async throws {
        let stage = try await KnowledgeStage()
        let collection = try await stage.collection()
        try await stage.add([("a.txt", "one text")], to: collection)
        let job = try await stage.client().startImport(
            .with {
                $0.collectionID = collection
                $0.sources = [
                    .with { ($0.name, $0.text) = ("a.txt", "one text") },
                    .with { ($0.name, $0.text) = ("copy.txt", "one text") },
                    .with { ($0.name, $0.content) = ("bad.txt", Data([0x61, 0xFF])) },
                    .with { ($0.name, $0.content) = ("wide.txt", Data([0xFF, 0xFE, 0x61, 0])) },
                    .with { ($0.name, $0.text) = ("table.xlsx", "x") },
                    .with { ($0.name, $0.text) = ("blank.md", " \n—") },
                    .with { ($0.name, $0.content) = ("mark.txt", Data([0xEF, 0xBB, 0xBF] + Array("new".utf8))) },
                ]
            })
        #expect(job.status == .queued && job.sources == 7 && job.results.isEmpty)
        try await stage.work()
        let done = try await stage.client().getImport(.with { $0.importID = job.id })
        #expect(
            done.results.map(\.outcome) == [.unchanged, .duplicate, .refused, .refused, .refused, .refused, .added])
        #expect(
            done.results.map(\.reason) == [
                "", "", "knowledge.not_utf8", "knowledge.other_encoding", "knowledge.unknown_format", "knowledge.blank",
                "",
            ])
        #expect(done.results[2].message.contains("Byte 1 ") && done.results[6].length == 3)
        #expect(done.results[1].itemID == done.results[0].itemID)

        let changed = try await stage.add([("a.txt", "one text more")], to: collection)
        #expect(changed.map(\.outcome) == [.changed] && changed[0].grown == 5)
        #expect(changed[0].itemID == done.results[0].itemID)
        let items = try await stage.client().listItems(.with { $0.collectionID = collection }).items
        #expect(items.map(\.name) == ["a.txt", "mark.txt"] && items.map(\.revision) == [2, 1])
        let imports = try await stage.client().listImports(.with { $0.collectionID = collection }).items
        #expect(imports.count == 3 && imports[1].id == job.id)
    }

    @Test func aVersionIsOfItsMomentAndRollingBackRestoresTheOneBefore() async throws {
        let stage = try await KnowledgeStage()
        let collection = try await stage.collection()
        await refused("knowledge.empty") {
            try await stage.client().addVersion(.with { $0.collectionID = collection })
        }
        try await stage.add([("a.txt", "The lantern seller crosses the bridge.")], to: collection)
        let first = try await stage.version(of: collection)
        _ = try await stage.release(first.id)
        try await stage.add([("a.txt", "A ferry waits for the magistrate.")], to: collection)
        #expect(try await stage.search(collection, "lantern").items.first?.text.contains("lantern") == true)
        let second = try await stage.version(of: collection)
        #expect(second.number == 2)
        await refused("knowledge.version_state") {
            try await stage.client().rollbackVersion(
                .with {
                    $0.versionID = second.id
                    $0.reason = "not released yet"
                })
        }
        _ = try await stage.release(second.id)
        #expect(try await stage.search(collection, "lantern").items.allSatisfy { $0.textRank == 0 })
        await refused("knowledge.version_state") { try await stage.release(second.id) }
        let back = try await stage.client().rollbackVersion(
            .with {
                $0.versionID = second.id
                $0.reason = "the ferry is of another book"
            })
        #expect(back.status == .rolledBack && !back.current && back.rollbackReason == "the ferry is of another book")
        #expect(try await stage.search(collection, "lantern").versionID == first.id)
        await refused("knowledge.version_state") { try await stage.release(second.id) }
        await refused("knowledge.unindexed") { try await stage.search(collection, "x", version: second.id) }
        let versions = try await stage.client().listVersions(.with { $0.collectionID = collection }).items
        #expect(versions.map(\.number) == [2, 1] && versions.map(\.current) == [false, true])
    }

    @Test func anotherProjectAndAnotherTenantFindNothing() async throws {
        let stage = try await KnowledgeStage()
        let collection = try await stage.collection()
        try await stage.add([("a.txt", "secret words")], to: collection)
        let version = try await stage.version(of: collection)
        _ = try await stage.release(version.id)
        let chunk = try #require(try await stage.search(collection, "secret").items.first?.chunkID)
        for client in [stage.client(project: "prj_2"), stage.client(tenant: "other"), stage.client(project: "")] {
            await refused("knowledge.not_found") {
                try await client.search(
                    .with {
                        $0.collectionID = collection
                        $0.q = "secret"
                    })
            }
            await refused("knowledge.not_found") { try await client.getChunk(.with { $0.chunkID = chunk }) }
            await refused("knowledge.not_found") { try await client.getVersion(.with { $0.versionID = version.id }) }
            await refused("knowledge.not_found") {
                try await client.releaseVersion(.with { $0.versionID = version.id })
            }
            await refused("knowledge.not_found") {
                try await client.listItems(.with { $0.collectionID = collection })
            }
        }
        let scopes = AccessScopesClient(
            stage.host.scope(principal: "usr_1", tenant: "default") { _ in }, feature: "scopes")
        for (parameter, id) in [("collection_id", collection), ("version_id", version.id), ("chunk_id", chunk)] {
            let found = try await scopes.resolveProject(.with { ($0.parameter, $0.id) = (parameter, id) })
            #expect(found.project == KnowledgeStage.project)
        }
        await refused("knowledge.not_found") {
            try await scopes.resolveProject(.with { ($0.parameter, $0.id) = ("import_id", "imp_none") })
        }
    }

    /// A model that changes under a version is never compared with it.
    @Test func anotherEmbedderIsSaidAndNotMixed() async throws {
        let stage = try await KnowledgeStage()
        let collection = try await stage.collection()
        try await stage.add([("a.txt", "The lantern seller crosses the bridge.")], to: collection)
        let version = try await stage.version(of: collection)
        _ = try await stage.release(version.id)
        stage.host.fake("knowledge.embed", "Embed") { (request: ContentEmbedRequest, _) in
            ContentEmbedResponse.with {
                $0.model = "another"
                $0.vectors = request.texts.map { _ in .with { $0.values = [1, 0, 0] } }
            }
        }
        let found = try await stage.search(collection, "lantern")
        #expect(found.degraded == "knowledge.embedder_changed" && found.vectorCandidates == 0)
        #expect(found.items.first?.textRank == 1)
        let next = try await stage.version(of: collection)
        #expect(next.status == .indexed && next.embedder == "another" && next.dimensions == 3)
    }

    @Test func whatFailsForGoodIsSaidOfTheVersion() async throws {
        let stage = try await KnowledgeStage()
        let collection = try await stage.collection()
        try await stage.add([("a.txt", "The lantern seller crosses the bridge.")], to: collection)
        stage.host.fake("knowledge.embed", "Embed") { (_: ContentEmbedRequest, _) -> ContentEmbedResponse in
            throw PluginError(.permissionDenied, "content.key_refused", "The key is refused.")
        }
        let version = try await stage.version(of: collection)
        #expect(version.status == .draft && version.failure == "content.key_refused" && version.vectors == 0)
        await refused("knowledge.version_state") { try await stage.release(version.id) }
    }

    /// What was indexed before a failure that passes is not done again.
    @Test(arguments: KnowledgeStage.Engine.allCases)
    func indexingGoesOnWhereItWas(_ engine: KnowledgeStage.Engine) async throws {
        let stage = try await KnowledgeStage(engine, configuration: #"{"chunk_tokens": 32, "overlap_tokens": 0}"#)
        let collection = try await stage.collection()
        let text = (1...80).map { "第\($0)盏灯挂在虹桥的栏杆上，照着过河的人和船。" }.joined()
        try await stage.add([("lamps.txt", text), ("tea.txt", "Tea houses opened before dawn.")], to: collection)
        let asked = Asked(fails: 2)
        let host = stage.host
        host.route("offline", to: "offline", capability: "theatre.content.v1.Embedding")
        host.fake("knowledge.embed", "Embed") { (request: ContentEmbedRequest, call) in
            try asked.ask(request.texts)
            return try await ContentEmbeddingClient(host.scope(call.context), feature: "offline").embed(request)
        }
        let made = try await stage.client().addVersion(.with { $0.collectionID = collection })
        #expect(try await host.runJobs().map(\.state) == [.waiting])
        var version = try await stage.client().getVersion(.with { $0.versionID = made.id })
        #expect(version.status == .draft && version.vectors == 32 && version.chunks > 64 && version.failure.isEmpty)
        host.advance(milliseconds: 3_600_000)
        #expect(try await host.runJobs().map(\.state) == [.done])
        version = try await stage.client().getVersion(.with { $0.versionID = made.id })
        #expect(version.failure.isEmpty && version.items == 2)
        #expect(version.status == .indexed && version.vectors == version.chunks)
        #expect(asked.texts.count == Int(version.chunks) && Set(asked.texts).count == asked.texts.count)
        #expect(try await host.runJobs().isEmpty)
        let found = try await stage.search(collection, "第七十盏灯 tea", version: version.id)
        #expect(found.vectorCandidates == min(100, UInt32(version.chunks)) && found.items.count == 10)
    }

    /// What was embedded, and one call that fails.
    private final class Asked: Sendable {
        private let state = Mutex<(texts: [String], calls: Int)>(([], 0))
        private let failing: Int
        var texts: [String] { state.withLock { $0.texts } }

        init(fails call: Int) { failing = call }

        func ask(_ texts: [String]) throws {
            try state.withLock { state in
                state.calls += 1
                guard state.calls != failing else {
                    throw PluginError(.unavailable, "content.unavailable", "Not now.", retry: .safe)
                }
                state.texts += texts
            }
        }
    }

    @Test func whatIsOutOfBoundsIsRefused() async throws {
        let stage = try await KnowledgeStage()
        let collection = try await stage.collection()
        await refused("knowledge.name_taken") { try await stage.collection() }
        await refused("knowledge.bad_name") { try await stage.collection("  ") }
        await refused("knowledge.bad_question") { try await stage.search(collection, "，。!") }
        await refused("knowledge.bad_sources") {
            try await stage.client().startImport(.with { $0.collectionID = collection })
        }
        await refused("knowledge.named_twice") {
            try await stage.add([("a.txt", "x"), ("a.txt", "y")], to: collection)
        }
        await refused("knowledge.bad_limit") {
            try await stage.client().listItems(
                .with {
                    $0.collectionID = collection
                    $0.limit = 201
                })
        }
    }
}
