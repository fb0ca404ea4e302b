// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Bianjing
@testable import Drafting
@testable import Offline
@testable import SQLite

/// Drafting with the real database, language model and culture pack, a ledger and an inbox in memory, and faults.
struct Stage {
    let host = TestHost()
    let ledger: FakeLedger
    let faults = Faults()
    let messages = Messages()
    let probe: PluginHost

    /// What was sent, by message id.
    final class Messages: Sendable {
        let sent = Mutex<[String: NotificationSendRequest]>([:])
        var all: [NotificationSendRequest] { sent.withLock { Array($0.values) } }
    }

    init(chips: Int64 = 100, configuration: String = "{}") async throws {
        ledger = FakeLedger(available: chips)
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        probe = try await TableProbe.install(host, as: "drafting", storage: "drafting.storage")
        try await host.install(Offline.self, manifest: .plugin("Content/Offline"), instance: "offline")
        try await host.install(Bianjing.self, manifest: .plugin("Culture/Bianjing"), instance: "bianjing")
        for (feature, capability) in [
            "storage": "theatre.sql.v1.Database", "log": "theatre.events.v1.Log",
        ] { host.route(feature, to: "sqlite", capability: capability) }
        host.route("outline", to: "offline", capability: "theatre.content.v1.Chat")
        host.route("embedding", to: "offline", capability: "theatre.content.v1.Embedding")
        host.route("culture", to: "bianjing", capability: "theatre.culture.v1.Pack")
        serveStorage()
        serveContent()
        serveLedger()
        serveInbox()
        try await host.install(
            Drafting.self, manifest: .plugin("Studio/Drafting"), instance: "drafting", configuration: configuration)
        host.route("drafting", to: "drafting", capability: "theatre.studio.v1.Drafting")
    }

    /// Statements pass through here as the plugin's own, so that they can fail.
    private func serveStorage() {
        let (host, faults) = (host, faults)
        @Sendable func database(_ call: Call) -> SQLDatabaseClient {
            SQLDatabaseClient(host.scope(call.context), feature: "storage")
        }
        host.fake("drafting.storage", "Query") { (request: SQLQueryRequest, call) in
            try await faults.through("query") { try await database(call).query(request) }
        }
        host.fake("drafting.storage", "Commit") { (request: SQLCommitRequest, call) in
            let types = request.attachments.events.map(\.type)
            return try await faults.through("commit \(types.first ?? "")") {
                try await database(call).commit(request)
            }
        }
        host.fake("drafting.storage", "Migrate") { (request: SQLMigrateRequest, call) in
            try await database(call).migrate(request)
        }
    }

    private func serveContent() {
        let (host, faults) = (host, faults)
        host.fake("studio.outline", "Complete") { (request: ContentChatRequest, call) in
            try await faults.through("outline") {
                try await ContentChatClient(host.scope(call.context), feature: "outline").complete(request)
            }
        }
        host.fake("studio.retrieval.embed", "Embed") { (request: ContentEmbedRequest, call) in
            try await faults.through("embed") {
                try await ContentEmbeddingClient(host.scope(call.context), feature: "embedding").embed(request)
            }
        }
        host.fake("studio.culture", "Validate") { (request: CultureValidateRequest, call) in
            try await faults.through("validate") {
                try await CulturePackClient(host.scope(call.context), feature: "culture").validate(request)
            }
        }
        host.fake("studio.culture", "Enrich") { (request: CultureEnrichRequest, call) in
            try await faults.through("enrich") {
                try await CulturePackClient(host.scope(call.context), feature: "culture").enrich(request)
            }
        }
    }

    private func serveLedger() {
        let (host, faults, ledger) = (host, faults, ledger)
        host.fake("drafting.ledger", "Hold") { (request: LedgerHoldRequest, _) in
            try await faults.through("hold") { try ledger.hold(request) }
        }
        host.fake("drafting.ledger", "Settle") { (request: LedgerSettleRequest, _) in
            try await faults.through("settle") { try ledger.settle(request) }
        }
        host.fake("drafting.ledger", "Void") { (request: LedgerVoidRequest, _) in
            try await faults.through("void") { try ledger.void(request.key) }
        }
    }

    private func serveInbox() {
        let (host, faults, messages) = (host, faults, messages)
        host.fake("studio.notify", "Send") { (request: NotificationSendRequest, _) in
            try await faults.through("send") {
                messages.sent.withLock { $0[request.messageID] = request }
                return NotificationDelivery()
            }
        }
    }

    // MARK: What a person does

    func client(
        _ principal: String = "usr_1", key: String = "", route: String = "", tenant: String = "default",
        project: String = Stage.project
    ) -> StudioDraftingClient {
        let scope = host.scope(principal: principal, tenant: tenant) {
            $0.project = project
            $0.idempotencyKey = key
            $0.requestID = key.isEmpty ? "req_\(UInt64.random(in: 0 ..< .max))" : key
            $0.route = route
            $0.answerRequired = !route.isEmpty
            $0.audit = route.isEmpty ? "" : "change"
        }
        return StudioDraftingClient(scope, feature: "drafting")
    }

    static func chapterText() throws -> String {
        var root = URL(filePath: #filePath)
        for _ in 0..<4 { root = root.deletingLastPathComponent() }
        return try String(contentsOf: root.appending(path: "Host/theatre/Samples/chapter.md"), encoding: .utf8)
    }

    /// What the scope of a request led to.
    static let project = "prj_1"

    /// The sample chapter in the project.
    func prepare(_ text: String? = nil) async throws -> StudioStartRunRequest {
        let chapter = try await client().addChapter(
            .with {
                $0.projectID = Self.project
                $0.title = "灯下无影"
                $0.text = try text ?? Self.chapterText()
            })
        return .with {
            $0.projectID = Self.project
            $0.chapterID = chapter.id
        }
    }

    // MARK: What the host does

    /// Every event there is.
    func events() async throws -> [EventsEvent] {
        var events: [EventsEvent] = []
        while true {
            let response = try await EventsLogClient(host.scope(), feature: "log").read(
                .with {
                    $0.after = events.last?.offset ?? 0; $0.limit = 1000
                })
            if response.events.isEmpty { return events }
            events += response.events
        }
    }

    /// Delivers what was requested until it is taken, as the event pump does.
    ///
    /// - Returns: attempts it took; 0 where they were used up.
    @discardableResult
    func pump(_ run: String, attempts: Int = 12) async throws -> Int {
        guard let event = try await events().first(where: { $0.type == "draft.requested" && $0.aggregate == run })
        else {
            Issue.record("nothing was requested")
            return 0
        }
        for attempt in 1...attempts {
            do {
                try await host.deliver(event, to: "drafting", attempt: UInt32(attempt))
                return attempt
            } catch is PluginError {}
        }
        return 0
    }
}
