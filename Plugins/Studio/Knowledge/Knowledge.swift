// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

/// Collections of texts: imported, indexed in versions, released, and searched with citations.
struct Knowledge: Plugin, KnowledgeContract, AccessScopesContract, JobsWorkerContract {
    static let storage = "knowledge.storage"
    static let embedding = "knowledge.embed"

    static var operations: [TheatrePlugin.Operation<Knowledge>] {
        knowledgeOperations + accessScopesOperations + jobsWorkerOperations
    }

    let host: PluginHost
    let configuration: KnowledgeConfiguration
    let shelf: MatrixShelf
    let engine = KnownEngine()

    init(_ host: PluginHost, _ configuration: KnowledgeConfiguration) throws {
        self.host = host
        self.configuration = configuration
        shelf = MatrixShelf(bytes: configuration.cacheMegabytes << 20)
    }

    /// Brings the tables up to date.
    func activate() async throws {
        let database = Database(host, feature: Self.storage)
        try await database.migrate(KnowledgeSchema.migrations)
    }

    func run(_ request: JobsRunRequest, _ call: Call) async throws -> JobsRunResponse {
        let id = request.job.uniqueKey
        do {
            switch request.job.kind {
            case ImportRun.kind: try await ImportRun(KnowledgeStore(call)).work(on: id)
            case IndexRun.kind:
                try await IndexRun(
                    call: call, store: KnowledgeStore(call), text: engine.text(of: KnowledgeStore(call).db)
                )
                .work(on: id, isLast: request.job.attempts >= IndexRun.attempts)
            default: break
            }
        } catch var error as PluginError {
            // What is final was stored; what comes here may go better, such as two imports of one name at once.
            if error.retry == .never { error.retry = .safe }
            throw error
        }
        return JobsRunResponse()
    }

    /// The project of the request, by which the caller was let in. Without one nobody was.
    static func project(_ call: Call, named: String = "") throws -> String {
        let project = call.context.project
        guard !project.isEmpty, named.isEmpty || named == project else { throw KnowledgeError.notFound("project") }
        return project
    }

    /// How many rows a page has.
    static func limit(_ asked: UInt32, _ usual: Int = 50, most: Int = 200) throws -> Int {
        guard asked <= most else { throw KnowledgeError.limit() }
        return asked == 0 ? usual : Int(asked)
    }
}
