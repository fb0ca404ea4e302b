// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin

/// Writes down what it is sent over HTTP, what the log delivers and what the queue has it do.
struct Journal: Plugin, HTTPHandlerContract, EventsConsumerContract, JobsWorkerContract {
    static var operations: [Operation<Journal>] {
        httpHandlerOperations + eventsConsumerOperations + jobsWorkerOperations
    }

    private let host: PluginHost
    private let underWay = JobsUnderWay()

    init(_ host: PluginHost, _ configuration: JournalConfiguration) throws { self.host = host }

    func activate() async throws { try await JournalStore(host).migrate() }

    // MARK: theatre.http.v1.Handler

    func handle(_ request: HTTPRequest, _ call: Call) async throws -> HTTPResponse {
        let store = JournalStore(call)
        guard request.method == "POST" else {
            let report = request.pathParameters.first?.value ?? ""
            let after = request.query.first { $0.name == "after" }?.value ?? ""
            return try await Self.text(200, store.page(of: report, after: after))
        }
        return try await store.enter(Draft(request.body), answer: { Self.text(201, "\($0)\n") })
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
        try await JournalStore(call).deliver(request.event)
        return EventsDeliverResponse()
    }

    // MARK: theatre.jobs.v1.Worker

    func run(_ request: JobsRunRequest, _ call: Call) async throws -> JobsRunResponse {
        let (job, store) = (request.job, JournalStore(call))
        if !underWay.begin(job.jobID) { try await store.note(fault: "\(job.jobID) runs twice in one process") }
        defer { underWay.end(job.jobID) }
        try await store.begin(job)
        try await store.end(job)
        return JobsRunResponse()
    }
}

/// The jobs that run in this process now.
private final class JobsUnderWay: Sendable {
    private let jobs = Mutex<[String: Int]>([:])

    /// False where it runs already.
    func begin(_ job: String) -> Bool {
        jobs.withLock { jobs in
            jobs[job, default: 0] += 1
            return jobs[job] == 1
        }
    }

    func end(_ job: String) {
        jobs.withLock { jobs in
            jobs[job, default: 1] -= 1
            if jobs[job] == 0 { jobs[job] = nil }
        }
    }
}

/// Nothing can be set.
struct JournalConfiguration: Decodable, Sendable {}

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
