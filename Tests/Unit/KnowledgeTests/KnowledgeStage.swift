// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import PostgreSQLServer
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Knowledge
@testable import Offline
@testable import PostgreSQL
@testable import SQLite

/// Knowledge over a real database and the offline embedder.
struct KnowledgeStage {
    static let project = "prj_1"

    enum Engine: String, CaseIterable, Sendable { case sqlite, postgresql }

    let host = TestHost()

    init(_ engine: Engine = .sqlite, configuration: String = "{}") async throws {
        switch engine {
        case .sqlite:
            try await host.install(
                SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "database",
                configuration: #"{"path": ":temporary:"}"#)
        case .postgresql:
            let server = try await PostgreSQLServer.shared()
            let database = try await server.makeDatabase()
            host.serve("theatre.host.v1.Secrets/Lease") { (_: HostLeaseRequest, _) in
                HostLeaseResponse.with { $0.value = Data(PostgreSQLServer.password.utf8) }
            }
            try await host.install(
                PostgreSQL.self, manifest: .plugin("Storage/PostgreSQL"), instance: "database",
                configuration: """
                    {"hosts": ["127.0.0.1"], "port": \(server.port), "database": "\(database)", "sslmode": "disable",
                     "pool_size": 4}
                    """)
        }
        try await host.install(Offline.self, manifest: .plugin("Content/Offline"), instance: "offline")
        host.route("knowledge.storage", to: "database", capability: "theatre.sql.v1.Database")
        host.route("knowledge.embed", to: "offline", capability: "theatre.content.v1.Embedding")
        try await host.install(
            Knowledge.self, manifest: .plugin("Studio/Knowledge"), instance: "knowledge", configuration: configuration)
        host.route("knowledge", to: "knowledge", capability: "theatre.knowledge.v1.Knowledge")
        host.route("scopes", to: "knowledge", capability: "theatre.access.v1.Scopes")
        host.route("log", to: "database", capability: "theatre.events.v1.Log")
    }

    func client(project: String = KnowledgeStage.project, tenant: String = "default") -> KnowledgeClient {
        KnowledgeClient(
            host.scope(principal: "usr_1", tenant: tenant) { $0.project = project }, feature: "knowledge")
    }

    func collection(_ name: String = "Sources") async throws -> String {
        try await client().addCollection(
            .with {
                $0.projectID = Self.project
                $0.name = name
            }
        ).id
    }

    /// Imports texts by name, and says what became of them.
    @discardableResult
    func add(_ sources: [(String, String)], to collection: String) async throws -> [KnowledgeImportResult] {
        let job = try await client().startImport(
            .with {
                $0.collectionID = collection
                $0.sources = sources.map { name, text in
                    .with {
                        $0.name = name
                        $0.text = text
                    }
                }
            })
        try await work()
        let done = try await client().getImport(.with { $0.importID = job.id })
        #expect(done.status == .succeeded && done.finishedAt > 0)
        return done.results
    }

    /// A version of what the collection has, indexed.
    func version(of collection: String) async throws -> KnowledgeVersion {
        let made = try await client().addVersion(.with { $0.collectionID = collection })
        try await work()
        return try await client().getVersion(.with { $0.versionID = made.id })
    }

    func release(_ version: String) async throws -> KnowledgeVersion {
        try await client().releaseVersion(.with { $0.versionID = version })
    }

    func search(_ collection: String, _ question: String, version: String = "") async throws -> KnowledgeSearchResponse
    {
        try await client().search(
            .with {
                $0.collectionID = collection
                $0.q = question
                $0.versionID = version
            })
    }

    /// Does what is due.
    func work() async throws {
        for run in try await host.runJobs() { #expect(run.state == .done, "\(run)") }
    }
}

/// Whether a call is refused for this reason.
func refused(_ reason: String, _ body: () async throws -> some Sendable) async {
    let error = await #expect(throws: PluginError.self) { _ = try await body() }
    #expect(error?.reason == reason)
}
