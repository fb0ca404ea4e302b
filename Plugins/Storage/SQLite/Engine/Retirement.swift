// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatreStorage

/// Something that is kept for a time only.
enum Retirement: Sendable {
    /// Answers, events and ended jobs stored or ended before a time in milliseconds since 1970.
    case answers(Int64)
    case events(Int64)
    case jobs(Int64)

    /// How many rows go in one transaction.
    static let atOnce = 500

    /// What is too old now; 0 days keeps for ever.
    static func all(_ options: EngineOptions, at now: Int64) -> [Retirement] {
        func before(_ days: Int) -> Int64 { now - Int64(days) * 86_400_000 }
        var all: [Retirement] = [.answers(before(options.answersRetentionDays))]
        if options.eventsRetentionDays > 0 { all.append(.events(before(options.eventsRetentionDays))) }
        if options.jobsRetentionDays > 0 { all.append(.jobs(before(options.jobsRetentionDays))) }
        return all
    }

    /// Removes up to ``atOnce`` rows and gives how many went.
    func removeSome(_ connection: Connection) throws -> Int {
        switch self {
        case .answers(let time): return try connection.run(AnswerRows.remove(before: time, limit: Self.atOnce))
        case .events(let time):
            let request = EventsTrimRequest.with {
                $0.before = time
                $0.limit = UInt32(Self.atOnce)
            }
            return Int(try connection.run(try EventRows.trim(request)).removed)
        case .jobs(let time): return try connection.run(JobRows.remove(endedBefore: time, limit: Self.atOnce))
        }
    }
}
