// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatreStorage

/// One connection that listens, tells others of commits, and keeps the log's head.
///
/// Unchecked: everything but `head` is touched on the loop's thread only.
final class TailFollower: @unchecked Sendable {
    /// The log may be read up to here; -1 until that is known.
    let head = HeadSignal(-1)
    /// Grows with each notice that jobs are due.
    let jobs = HeadSignal(0)

    private let loop: EventLoop
    private let dialler: Dialler
    private let schema: String
    private let prefix: String
    /// False behind a proxy, where a notice would reach somebody else.
    private let listens: Bool
    /// Whether replicas want to see that the primary lives.
    private let beats: Bool
    /// Milliseconds between two looks that nobody asked for.
    private let poll: Int
    private let onFailure: @Sendable (WireError) -> Void
    private let onReadOnly: @Sendable () -> Void

    private var connection: ServerConnection?
    private var tail: EventTail?
    private var isDialling = false
    private var isClosed = false
    private var failures = 0
    private var timer: TimerQueue.ID?
    private var wantsLook = false
    /// Somebody was told since the connection was made that the server takes no writes.
    private var isToldElsewhere = false
    private var tellsEvents = false
    private var tellsJobs = false
    private var lastBeat: UInt64 = 0

    /// - Parameters:
    ///   - poll: milliseconds between two looks without a notice; nil: as suits whether there are notices.
    ///   - onReadOnly: called on the loop's thread where the server that is followed takes no writes any more.
    init(
        loop: EventLoop, dialler: Dialler, schema: String, prefix: String, beats: Bool, poll: Int?,
        onFailure: @escaping @Sendable (WireError) -> Void, onReadOnly: @escaping @Sendable () -> Void
    ) {
        self.loop = loop
        self.dialler = dialler
        self.schema = schema
        self.prefix = prefix
        self.beats = beats
        self.onFailure = onFailure
        self.onReadOnly = onReadOnly
        listens = dialler.options.prepares
        self.poll = poll ?? (listens ? 1000 : 250)
    }

    // MARK: From any thread

    func start() { loop.execute { self.dial() } }

    /// Events were committed here.
    func committedEvents() {
        loop.execute {
            self.tellsEvents = true
            self.wantsLook = true
            self.goOn()
        }
    }

    /// Jobs were committed here.
    func committedJobs() {
        jobs.advance(to: jobs.head + 1)
        loop.execute {
            self.tellsJobs = true
            self.goOn()
        }
    }

    /// A server said that it takes no writes: whether it is the one that is followed is looked at. Whoever was told so has
    /// left it, so that ``leave()`` need not tell.
    func serverIsReadOnly() {
        loop.execute {
            self.isToldElsewhere = true
            self.wantsLook = true
            self.goOn()
        }
    }

    func close() {
        loop.execute {
            self.isClosed = true
            if let timer = self.timer { self.loop.cancel(timer) }
            self.connection?.onEnd = nil
            self.connection?.close()
            self.connection = nil
        }
        head.reset(to: head.head)
    }

    // MARK: The connection

    private func dial() {
        guard !isClosed, !isDialling, connection == nil else { return }
        isDialling = true
        dialler.dial { [weak self] result in
            guard let self else { return }
            self.isDialling = false
            switch result {
            case .failure(let error): self.lost(error)
            case .success(let connection): self.begin(connection)
            }
        }
    }

    private func begin(_ connection: ServerConnection) {
        guard !isClosed else { return connection.close() }
        self.connection = connection
        isToldElsewhere = false
        connection.onEnd = { [weak self] error in self?.lost(error) }
        connection.onNotification = { [weak self] channel, isOwn in
            guard let self, !isOwn else { return }
            if channel == "\(self.prefix)_jobs" { return self.jobs.advance(to: self.jobs.head + 1) }
            self.wantsLook = true
            self.goOn()
        }
        var steps: [Step] = []
        if listens {
            steps = ["events", "jobs"].map { Step("LISTEN \"\(prefix)_\($0)\"", isPrepared: false) }
        }
        // Positions may have been trimmed away; no consumer is beyond one that was decided.
        steps.append(
            Step(
                """
                SELECT GREATEST(COALESCE((SELECT MAX(position) FROM "\(schema)".host__events), 0),
                    COALESCE((SELECT MAX(position) FROM "\(schema)".host__cursors), 0))
                """))
        send(steps) { follower, results in
            follower.failures = 0
            // What was told while nobody listened was missed.
            follower.jobs.advance(to: follower.jobs.head + 1)
            follower.tail = EventTail(top: results.last?.rows.first?.values.first?.integer ?? 0)
            follower.takeFence()
        }
    }

    private func lost(_ error: WireError) {
        if let connection {
            connection.onEnd = nil
            connection.close()
        }
        connection = nil
        tail = nil
        guard !isClosed else { return }
        failures += 1
        if failures == 1 { onFailure(error) }
        let longest = min(2000, 25 << min(failures, 7))
        _ = loop.after(milliseconds: Int.random(in: longest / 2...longest)) { [weak self] in self?.dial() }
    }

    // MARK: Looking

    /// Does what is to be done next, where nothing is under way.
    private func goOn() {
        guard let connection, connection.isIdle, tail != nil else { return }
        if listens, tellsEvents || tellsJobs { return tell() }
        if wantsLook { return look() }
        if timer == nil { look(in: poll) }
    }

    private func tell() {
        var steps: [Step] = []
        if tellsEvents { steps.append(Step("SELECT pg_notify($1, '')", [SQLValue("\(prefix)_events")])) }
        if tellsJobs { steps.append(Step("SELECT pg_notify($1, '')", [SQLValue("\(prefix)_jobs")])) }
        tellsEvents = false
        tellsJobs = false
        send(steps) { follower, _ in follower.goOn() }
    }

    private func look(in milliseconds: Int) {
        if let timer { loop.cancel(timer) }
        timer = loop.after(milliseconds: milliseconds) { [weak self] in
            guard let self else { return }
            self.timer = nil
            self.wantsLook = true
            self.jobs.advance(to: self.jobs.head + (milliseconds == self.poll ? 1 : 0))
            self.goOn()
        }
    }

    private func look() {
        guard let tail else { return }
        if let timer { loop.cancel(timer) }
        timer = nil
        wantsLook = false
        if beats, monotonicMilliseconds() - lastBeat >= 500 {
            lastBeat = monotonicMilliseconds()
            wantsLook = true
            return send([Self.number]) { follower, _ in follower.goOn() }
        }
        let sql = """
            SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT), seen.position,
                current_setting('transaction_read_only')
            FROM (VALUES (1)) AS one (n) LEFT JOIN (SELECT position FROM "\(schema)".host__events
                WHERE position > $1 ORDER BY position LIMIT \(EventTail.batch)) AS seen ON TRUE
            ORDER BY seen.position
            """
        send([Step(sql, [SQLValue(tail.place)])]) { follower, results in
            let rows = results[0].rows
            if rows.first?.values[2].text == "on" { return follower.leave() }
            let oldest = rows.first?.values[0].integer ?? 0
            let positions = rows.compactMap { row in row.values[1].kind == nil ? nil : row.values[1].integer }
            guard let action = follower.tail?.looked(positions, oldest: oldest) else { return }
            follower.act(action)
        }
    }

    /// The server steps down while its connections live: its log goes no further, and another's does.
    private func leave() {
        if !isToldElsewhere { onReadOnly() }
        lost(WireError(.server, state: "25006", message: "the server takes no writes any more"))
    }

    private func takeFence() {
        send([Self.number]) { follower, results in
            let number = Int64(results[0].rows.first?.values.first?.text ?? "") ?? .max
            guard let action = follower.tail?.fenced(at: number) else { return }
            follower.act(action)
        }
    }

    private static let number = Step("SELECT CAST(pg_current_xact_id() AS TEXT)")

    private func act(_ action: EventTail.Action) {
        if let found = tail?.head {
            if found < head.head { head.reset(to: found) } else { head.advance(to: found) }
        }
        switch action {
        case .rest: goOn()
        case .takeFence: takeFence()
        case .look(let isSoon):
            if isSoon {
                look(in: 3)
                goOn()
            } else {
                wantsLook = true
                goOn()
            }
        }
    }

    private func send(_ steps: [Step], _ done: @escaping (TailFollower, [SQLRows]) -> Void) {
        guard let connection, connection.isIdle else { return }
        let timer = loop.after(milliseconds: 15_000) { [weak connection] in connection?.stop(.deadline) }
        connection.send(
            Exchange(steps) { [weak self, weak connection] outcome in
                guard let self else { return }
                self.loop.cancel(timer)
                guard outcome.isComplete else {
                    // What ended by itself has told so by now.
                    guard let connection, self.connection === connection else { return }
                    return self.lost(outcome.failure?.error ?? WireError(.connection, message: "the server is silent"))
                }
                done(self, outcome.results)
            })
    }
}
