// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

/// From a chapter to drafts of scenes: chapters, and runs that are paid in chips and survive a kill.
struct Drafting: Plugin, StudioDraftingContract, EventsConsumerContract {
    static let storage = "drafting.storage"
    static let ledger = "drafting.ledger"
    static let outline = "studio.outline"
    static let embedding = "studio.retrieval.embed"
    static let culture = "studio.culture"
    static let notify = "studio.notify"

    /// The contract, whose rows are of projects, and the consumer of its own events.
    static var operations: [TheatrePlugin.Operation<Drafting>] {
        studioDraftingOperations + accessScopesOperations + eventsConsumerOperations + privacyHolderOperations
    }

    let host: PluginHost
    let configuration: DraftingConfiguration

    init(_ host: PluginHost, _ configuration: DraftingConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    /// Brings the tables up to date.
    func activate() async throws {
        try await Database(host, feature: Self.storage).migrate(DraftingSchema.migrations)
    }

    func deliver(_ request: EventsDeliverRequest, _ call: Call) async throws -> EventsDeliverResponse {
        guard request.event.type == "draft.requested" else { return EventsDeliverResponse() }
        let worker = RunWorker(call: call, configuration: configuration)
        try await worker.work(on: request.event.aggregate, isLast: Int(request.attempt) >= configuration.maxAttempts)
        return EventsDeliverResponse()
    }

    /// The person who asks.
    static func owner(_ call: Call) throws -> String {
        let principal = call.principal
        guard !principal.isEmpty else { throw DraftingError.stranger() }
        return principal
    }

    /// The project of the request, by which the caller was let in. Without one nobody was.
    static func project(_ call: Call, named: String = "") throws -> String {
        let project = call.context.project
        guard !project.isEmpty, named.isEmpty || named == project else { throw DraftingError.notFound("project") }
        return project
    }
}
