// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Writes down what it is sent over HTTP, what the log delivers and what the queue has it do.
struct Journal: Plugin, HTTPHandlerContract, EventsConsumerContract, JobsWorkerContract {
    static var operations: [Operation<Journal>] {
        httpHandlerOperations + eventsConsumerOperations + jobsWorkerOperations
    }

    private let host: PluginHost
    private let configuration: JournalConfiguration

    init(_ host: PluginHost, _ configuration: JournalConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    func activate() async throws {
        try await JournalStore(host).migrate()
        guard !configuration.nightly.isEmpty else { return }
        let schedule = JobsPutScheduleRequest.with {
            $0.name = "nightly"
            $0.cron = configuration.nightly
            $0.timeZone = "Asia/Shanghai"
            $0.catchUp = .one
            $0.job = JobsNewJob("entered", kind: "journal.nightly")
        }
        _ = try await JobsQueueClient(host, feature: "journal.queue").putSchedule(schedule)
    }

    // MARK: theatre.http.v1.Handler

    func handle(_ request: HTTPRequest, _ call: Call) async throws -> HTTPResponse {
        let store = JournalStore(call)
        let name = request.pathParameters.first?.value ?? ""
        switch request.route {
        case "/api/v1/journal/entries":
            return try await store.enter(Draft(request.body), answer: { Self.text(201, "\($0)\n") })
        case "/api/v1/journal/blobs/{key}": return try await blob(name, request, call)
        default:
            let after = request.query.first { $0.name == "after" }?.value ?? ""
            return try await Self.text(200, store.page(of: name, after: after))
        }
    }

    private func blob(_ key: String, _ request: HTTPRequest, _ call: Call) async throws -> HTTPResponse {
        let blobs = Blobs(call, feature: "journal.blobs")
        guard request.method == "PUT" else {
            let bytes = try await blobs.get(key, limit: 1 << 20).bytes
            return .with {
                $0.status = 200
                $0.contentType = "application/octet-stream"
                $0.body = bytes
            }
        }
        try await blobs.put(key, request.body)
        return Self.text(201, "stored\n")
    }

    private static func text(_ status: UInt32, _ text: String) -> HTTPResponse {
        .with {
            $0.status = status
            $0.contentType = "text/plain; charset=utf-8"
            $0.body = Data(text.utf8)
        }
    }

    // MARK: theatre.events.v1.Consumer

    func deliver(_ request: EventsDeliverRequest, _ call: Call) async throws -> EventsDeliverResponse {
        try refuse(Draft(request.event).id)
        try await JournalStore(call).deliver(request.event)
        return EventsDeliverResponse()
    }

    // MARK: theatre.jobs.v1.Worker

    func run(_ request: JobsRunRequest, _ call: Call) async throws -> JobsRunResponse {
        let (job, store) = (request.job, JournalStore(call))
        try refuse(String(decoding: job.payload, as: UTF8.self))
        let witness = RunWitness(of: job.jobID)
        defer { witness?.end() }
        if witness == nil { try await store.note(fault: "\(job.jobID) runs twice at the same time") }
        try await store.begin(job)
        if configuration.workMilliseconds > 0 {
            try await Task.sleep(for: .milliseconds(configuration.workMilliseconds))
        }
        try await store.end(job)
        return JobsRunResponse()
    }

    /// Refuses for good what it was told to refuse.
    private func refuse(_ id: String) throws {
        guard !configuration.refuses.isEmpty, id.hasPrefix(configuration.refuses) else { return }
        throw PluginError.invalid("", "journal.told_to_refuse", "Entries that begin so are refused.")
    }
}

/// The configuration of an instance; the schema in `plugin.json` holds the default.
struct JournalConfiguration: Decodable, Sendable {
    /// How long a job's work takes at least.
    var workMilliseconds: Int
    /// Events and jobs of entries whose ids begin so are refused; empty: none.
    var refuses: String
    /// When a job of its own is due, as cron has it; empty: never.
    var nightly: String

    enum CodingKeys: String, CodingKey {
        case refuses, nightly
        case workMilliseconds = "work_ms"
    }
}

/// An entry as it is sent: id, aggregate and number, between spaces. Number 0: the next of the aggregate.
struct Draft {
    let id: String
    let aggregate: String
    let number: Int64

    init(_ body: Data) throws {
        let words = String(decoding: body, as: UTF8.self).split(separator: " ").map(String.init)
        guard words.count == 3, let number = Int64(words[2]), number >= 0 else {
            throw PluginError.invalid("", "journal.bad_entry", "An entry is its id, its aggregate and its number.")
        }
        (id, aggregate, self.number) = (words[0], words[1], number)
    }
}
