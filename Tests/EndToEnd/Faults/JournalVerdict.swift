// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Testing

/// What is stored, held against what was promised.
struct JournalVerdict {
    let knowledge: JournalWriters.Knowledge
    let client: JournalClient

    /// After a restart: each entry of one run is there that was acknowledged, and nothing that nobody sent.
    func checkEntries(ofPrefix prefix: String) async throws {
        let stored = try await client.report("entries", after: prefix) { $0.hasPrefix(prefix) }
            .filter { $0[0].hasPrefix(prefix) }
        compare(stored, knowledge.acknowledged.filter { $0.key.hasPrefix(prefix) })
    }

    /// Some of the acknowledged entries, sent again: each gets its first answer.
    func checkAnswers(_ dice: inout SeededGenerator) async throws {
        for (id, number) in knowledge.acknowledged.sorted(by: { $0.key < $1.key }).shuffled(using: &dice).prefix(20) {
            guard let draft = knowledge.sent[id] else { continue }
            let outcome = await client.enter(draft)
            guard case .stored(number: number, isReplayed: true) = outcome else {
                throw Unexpected("\(draft), sent again, got \(outcome), not \(number) as before")
            }
        }
    }

    private func compare(_ stored: [[String]], _ acknowledged: [String: Int64]) {
        let numbers = Dictionary(uniqueKeysWithValues: stored.map { ($0[0], Int64($0[2]) ?? -1) })
        let lost = acknowledged.filter { numbers[$0.key] != $0.value }
        #expect(lost.isEmpty, "acknowledged, and not stored so: \(lost.sorted { $0.key < $1.key }.prefix(5))")
        let strange = numbers.keys.filter { knowledge.sent[$0] == nil }
        #expect(strange.isEmpty, "stored, and never sent: \(strange.sorted().prefix(5))")
    }

    /// At the end, with nothing under way: all is there, each event came, each aggregate in order,
    /// and each job was done, once at a time.
    ///
    /// - Returns: entries that are stored.
    @discardableResult
    func checkAll() async throws -> Int {
        let entries = try await client.report("entries")
        compare(entries, knowledge.acknowledged)
        try await eventually("every event is delivered and every job done", seconds: 120) {
            let counts = try await client.report("counts", isPaged: false).first?.compactMap { Int($0) } ?? []
            return counts.count == 3 && counts[1] >= counts[0] && counts[2] >= counts[0] ? true : nil
        }
        let deliveries = try await client.report("deliveries")
        let done = Set(try await client.report("runs").map { $0[0] })
        let undone = entries.map { $0[0] }.filter { !done.contains($0) }
        #expect(undone.isEmpty, "jobs that were lost: \(undone.prefix(5))")
        #expect(done.count == entries.count, "jobs of what is not stored")
        let faults = try await client.report("faults", isPaged: false).map { $0.joined(separator: " ") }
        #expect(faults.isEmpty, "\(faults)")
        let told = deliveries.map { "\($0[1]) \($0[2]) \($0[3])" }
        let stored = entries.map { $0.joined(separator: " ") }
        #expect(Set(told).count == told.count, "an entry has two events: half of it was stored twice")
        let silent = Set(stored).subtracting(told)
        #expect(silent.isEmpty, "stored without their events: \(silent.sorted().prefix(5))")
        let rootless = Set(told).subtracting(stored)
        #expect(rootless.isEmpty, "events of what is not stored: \(rootless.sorted().prefix(5))")
        checkOrder(deliveries)
        return entries.count
    }

    private func checkOrder(_ deliveries: [[String]]) {
        var last: [String: Int64] = [:]
        var disorder: [String] = []
        for delivery in deliveries.sorted(by: { (Int($0[4]) ?? 0) < (Int($1[4]) ?? 0) }) {
            let (aggregate, number) = (delivery[2], Int64(delivery[3]) ?? -1)
            if let before = last[aggregate], before >= number { disorder.append("\(aggregate): \(before), \(number)") }
            // The server counts those without a gap: a number is taken with its entry or not at all.
            if aggregate.hasPrefix("shared"), number != (last[aggregate] ?? 0) + 1 {
                disorder.append("\(aggregate): \(last[aggregate] ?? 0), \(number)")
            }
            last[aggregate] = number
        }
        #expect(disorder.isEmpty, "delivered out of order: \(disorder.prefix(5))")
    }
}
