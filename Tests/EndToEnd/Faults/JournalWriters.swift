// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Synchronization

/// Many that write at the same time, and what they were promised.
///
/// Writers of even number have an aggregate each and count themselves; the others share two aggregates, which the server
/// counts. An entry whose fate is unknown is sent again by every other writer, under the same key, and left by the rest.
final class JournalWriters: Sendable {
    /// What the writers know.
    struct Knowledge: Sendable {
        /// Numbers of the entries that are stored, by id.
        var acknowledged: [String: Int64] = [:]
        /// All that were sent, by id.
        var sent: [String: JournalDraft] = [:]
        /// Answers that a request got a second time.
        var replays = 0
        /// Times that a request was to come again, by reason.
        var refusals: [String: Int] = [:]
        /// An answer that nobody should get.
        var fault: String?
        /// Connections that broke.
        var broken: [String] = []
        fileprivate var counts: [Int: Int64] = [:]
        fileprivate var open: [Int: JournalDraft] = [:]
    }

    private let state = Mutex(Knowledge())
    private let http: HTTPClient
    private let count: Int
    private let pace: Duration

    /// - Parameter pace: what each writer waits between two entries.
    init(_ count: Int, pace: Duration = .zero, http: HTTPClient) {
        self.count = count
        self.pace = pace
        self.http = http
    }

    var knowledge: Knowledge { state.withLock { $0 } }

    /// Waits until that many more are acknowledged.
    func awaitAcknowledged(_ more: Int, seconds: Int = 60) async throws {
        let goal = knowledge.acknowledged.count + more
        try await eventually("\(more) more entries are acknowledged", seconds: seconds) {
            try sound().acknowledged.count >= goal ? true : nil
        }
    }

    private func sound() throws -> Knowledge {
        let known = knowledge
        if let fault = known.fault { throw Unexpected("a writer was refused: \(fault)") }
        return known
    }

    /// Waits until that many more requests were to come again.
    func awaitRefusals(_ more: Int) async throws {
        let goal = knowledge.refusals.values.reduce(0, +) + more
        try await eventually("\(more) more requests are refused for now") {
            try sound().refusals.values.reduce(0, +) >= goal ? true : nil
        }
    }

    /// Writes until the server goes or `isOver` opens. Ids begin with `prefix`, which grows from one run to the next.
    ///
    /// - Parameters:
    ///   - writers: those of them that write there; nil for all.
    ///   - outlives: whether a broken connection is tried again, not the end.
    /// - Throws: where a request is refused that should not be.
    func run(
        on url: String, prefix: String, writers: Range<Int>? = nil, until isOver: Gate, outlives: Bool = false
    ) async throws {
        let client = JournalClient(url: url, http: http)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in writers ?? 0..<count {
                group.addTask {
                    var serial = 0
                    while !isOver.isOpen {
                        let draft = self.next(writer, "\(prefix)-\(writer)-\(serial)")
                        serial += 1
                        guard try await self.send(draft, writer, client, isOver, outlives) else { return }
                        if self.pace > .zero { try await Task.sleep(for: self.pace) }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func next(_ writer: Int, _ id: String) -> JournalDraft {
        state.withLock { state in
            if let open = state.open.removeValue(forKey: writer), writer % 4 < 2 { return open }
            let isOwn = writer.isMultiple(of: 2)
            let number = isOwn ? (state.counts[writer] ?? 0) + 1 : 0
            if isOwn { state.counts[writer] = number }
            let draft = JournalDraft(id: id, aggregate: isOwn ? "own\(writer)" : "shared\(writer % 4)", number: number)
            state.sent[id] = draft
            return draft
        }
    }

    /// False where the server is gone.
    private func send(
        _ draft: JournalDraft, _ writer: Int, _ client: JournalClient, _ isOver: Gate, _ outlives: Bool
    ) async throws -> Bool {
        while true {
            let outcome = await client.enter(draft)
            switch outcome {
            case .stored(let number, let isReplayed):
                state.withLock { state in
                    state.acknowledged[draft.id] = number
                    if isReplayed { state.replays += 1 }
                }
                return true
            case .refused(let answer):
                state.withLock { $0.fault = answer }
                throw Unexpected("\(draft) was refused: \(answer)")
            case .later(let status, let reason):
                state.withLock { $0.refusals["\(status) \(reason)", default: 0] += 1 }
            case .unknown(let how):
                state.withLock { state in
                    state.broken.append(how)
                    if !outlives { state.open[writer] = draft }
                }
                guard outlives else { return false }
            }
            if isOver.isOpen {
                state.withLock { $0.open[writer] = draft }
                return true
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
