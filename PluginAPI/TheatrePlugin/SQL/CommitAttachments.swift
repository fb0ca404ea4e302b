// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
internal import TheatreContracts

/// What is stored with a transaction's effect: the answer to the route's caller, and events.
struct CommitAttachments {
    private(set) var message = SQLAttachments()

    mutating func publish(type: String, aggregate: String, data: String, channel: String) {
        message.events.append(
            .with {
                $0.type = type
                $0.aggregate = aggregate
                $0.data = data
                $0.channel = channel
            })
    }

    mutating func enqueue(_ job: JobsNewJob) { message.jobs.append(job) }

    mutating func answer(_ response: some Message, status: UInt32) throws {
        guard !message.hasAnswer else {
            throw PluginError(.internal, "sql.answered_twice", "The transaction has an answer already; it takes one.")
        }
        let payload: Data = try response.serializedBytes()
        message.answer = .with {
            $0.payload = payload
            $0.status = status
        }
    }
}
