// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatreStorage

/// The database: a pool of connections on one event thread, and one more that follows the log.
final class Engine: Sendable {
    let options: EngineOptions
    let environment: EngineEnvironment
    let pool: Pool
    /// For reads that may be behind; nil without replicas.
    let replicas: Pool?
    /// Whether the last read of a replica failed.
    let replicasFail = Atomic<Bool>(false)
    let health: ServerHealth
    let tail: TailFollower
    let texts: StatementTexts
    let numbers: Mutex<StatementNumbers>
    let realms = Mutex<[Namespace: NamespaceRealm]>([:])
    /// Why namespaces have no roles of their own; empty where they do.
    let withoutRoles = Mutex<String>("")
    private let loop: EventLoop
    private let threads: [BlockingThread]
    private let diallers: [Dialler]
    private let owners = Mutex<[Namespace: String]>([:])
    private let cleaned = Atomic<Int64>(0)

    /// The schema of the host's own tables.
    var hostSchema: String { "\(options.prefix)_host" }

    private init(_ options: EngineOptions, _ environment: EngineEnvironment) throws(WireError) {
        self.options = options
        self.environment = environment
        texts = StatementTexts(checksTenants: options.checksTenants)
        numbers = Mutex(StatementNumbers(first: monotonicMilliseconds() &* 1000))
        let loop = try EventLoop(name: "pg-events")
        let resolver = try BlockingThread(name: "pg-resolver")
        let canceller = try BlockingThread(name: "pg-canceller")
        self.loop = loop
        threads = [resolver, canceller]
        func dialler(_ server: ServerOptions) -> Dialler {
            Dialler(options: server, loop: loop, resolver: resolver, canceller: canceller)
        }
        let warn = environment.warn
        let health = ServerHealth { failure in
            if let failure {
                warn("the server cannot store", ["error.reason": failure.reason, "error.message": failure.message])
            } else {
                warn("the server can store again", [:])
            }
        }
        self.health = health
        let writers = dialler(options.server), followers = dialler(options.server)
        pool = Pool(
            loop: loop, dialler: writers, options: options.pool, onRefusal: { health.found($0) })
        var reading = options.server
        reading.addresses = options.replicas
        reading.wantsWriter = false
        var readers = options.pool
        readers.isOptional = true
        readers.waitMilliseconds = min(500, readers.waitMilliseconds)
        let others = dialler(reading)
        replicas = options.replicas.isEmpty ? nil : Pool(loop: loop, dialler: others, options: readers)
        diallers = [writers, followers, others]
        tail = TailFollower(
            loop: loop, dialler: followers, schema: "\(options.prefix)_host", prefix: options.prefix,
            beats: !options.replicas.isEmpty, poll: options.pollMilliseconds,
            onFailure: { warn("the connection that follows the log ended", ["error.message": $0.message]) },
            onReadOnly: { [pool] in pool.evictAll() })
    }

    deinit { close() }

    /// Connects, makes the host's tables and begins to follow the log.
    static func open(_ options: EngineOptions, _ environment: EngineEnvironment) async throws(StorageError) -> Engine {
        let engine: Engine
        do throws(WireError) {
            engine = try Engine(options, environment)
        } catch {
            throw StorageError(.resourceExhausted, "sql.open", error.message)
        }
        do throws(StorageError) {
            try await engine.installHostSchema()
        } catch {
            engine.close()
            throw error
        }
        engine.tail.start()
        // Answers that grew old while nothing ran go at once.
        engine.cleanUp()
        return engine
    }

    /// Whoever waits is told so, and what runs is cancelled. Without effect the second time.
    func close(_ ended: @escaping @Sendable () -> Void = {}) {
        tail.close()
        // A loop that has ended does nothing any more, and drops what it is told.
        let end: @Sendable () -> Void = { [loop, threads] in
            loop.close(ended)
            for thread in threads { thread.close() }
        }
        loop.execute { [pool, replicas, diallers] in
            pool.close {
                guard let replicas else { return end() }
                replicas.close(end)
            }
            // What is being made is nobody's yet: it would outlive the loop.
            for dialler in diallers { dialler.close() }
        } orElse: {
            end()
        }
    }

    /// As ``close(_:)``; returns once the event thread does nothing any more.
    func closeAndWait() async {
        await withCheckedContinuation { continuation in close { continuation.resume() } }
    }

    /// Refuses a caller whose tables another caller has: `a-b` and `a_b` share a namespace.
    func admit(_ scope: CallerScope) throws(StorageError) {
        let owner = owners.withLock { owners in
            let owner = owners[scope.namespace] ?? scope.caller
            owners[scope.namespace] = owner
            return owner
        }
        guard owner == scope.caller else {
            throw StorageError(
                .permissionDenied, "sql.bad_namespace",
                "The tables of \(scope.caller) would be those of \(owner); rename one of the instances.")
        }
        guard scope.isWanted() else { throw .cancelled }
    }

    /// `statement` with its text.
    func resolve(_ statement: SQLStatement, for scope: CallerScope) throws(StorageError) -> SQLStatement {
        guard statement.statementID != 0 else { return statement }
        return try numbers.withLock { numbers throws(StorageError) in
            try numbers.resolve(statement, for: scope.caller)
        }
    }

    // MARK: Trying again

    /// Runs `body` again while it fails for what passes by itself, until `milliseconds` are over.
    ///
    /// Each wait is longer and of a length of its own, so that those who got in each other's way do not meet again.
    func repeating<Output: Sendable>(
        milliseconds: Int, _ body: () async throws(StorageError) -> Output
    ) async throws(StorageError) -> Output {
        let end = monotonicMilliseconds() + UInt64(milliseconds)
        var attempt = 0
        while true {
            do throws(StorageError) {
                return try await body()
            } catch {
                noticed(error)
                attempt += 1
                guard error.isPassing, attempt < 40, !Task.isCancelled else { throw error }
                let longest = min(200, 1 << min(attempt, 8))
                let wait = Int.random(in: longest / 2...longest)
                guard monotonicMilliseconds() + UInt64(wait) < end else { throw error }
                do { try await Task.sleep(for: .milliseconds(wait)) } catch { throw .cancelled }
            }
        }
    }

    /// A server that takes no writes any more is left at once, by everybody.
    func noticed(_ error: StorageError) {
        guard error.reason == "sql.read_only" else { return }
        pool.loop.execute { [pool] in pool.evictAll() }
        tail.serverIsReadOnly()
    }

    /// Runs `body`, and notices what it fails with.
    func noticing<Output>(_ body: () async throws(StorageError) -> Output) async throws(StorageError) -> Output {
        do throws(StorageError) {
            return try await body()
        } catch {
            noticed(error)
            throw error
        }
    }

    // MARK: After a commit

    /// Tells others of events and jobs.
    func committed(events: Bool, jobs: Bool = false) {
        if events { tail.committedEvents() }
        if jobs { tail.committedJobs() }
        cleanUp()
    }

    /// Once an hour, removes answers that are too old. Events and jobs go when the host says so.
    private func cleanUp() {
        let now = environment.now()
        let last = cleaned.load(ordering: .relaxed)
        guard now - last >= 3_600_000,
            cleaned.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged
        else { return }
        let oldest = now - Int64(options.answersRetentionDays) * 86_400_000
        remove(AnswerRows.remove(before: oldest, limit: 500))
    }

    /// Runs a plan again and again while its first statement removes as many rows as it may.
    private func remove<Output>(_ plan: HostPlan<Output>) {
        let steps = [NamespaceRealm.enterHost(hostSchema)] + plan.statements.map { Step($0) }
        removeSome(steps)
    }

    private func removeSome(_ steps: [Step]) {
        pool.submit(steps) { [weak self] result in
            // What cannot be removed now is removed an hour later.
            guard case .success(let outcome) = result, outcome.isComplete, outcome.results[1].changed == 500 else {
                return
            }
            self?.removeSome(steps)
        }
    }

    /// Checks that a write goes through and back.
    func selfTest() async throws(StorageError) {
        let lease = try await leased(pool)
        defer { lease.release() }
        _ = try await lease.results(
            [
                Step("BEGIN"), NamespaceRealm.enterHost(hostSchema),
                Step("INSERT INTO host__cursors (consumer, position, moved_at) VALUES ('postgresql/self_test', 0, 0)"),
                Step("ROLLBACK"),
            ], in: .host, milliseconds: 10_000)
    }
}

extension Step {
    /// A statement on the host's own tables.
    init(_ statement: HostStatement) {
        self.init(Dialect.postgresql.parameters(in: statement.sql), statement.values, namespace: "host")
    }
}

extension Engine {
    /// A connection of one's own.
    func leased(_ pool: Pool) async throws(StorageError) -> Lease {
        do throws(PoolError) {
            return try await pool.lease()
        } catch {
            throw StorageError(error)
        }
    }

    /// Sends steps on any connection.
    func exchange(_ steps: [Step], on pool: Pool, milliseconds: Int = 0) async throws(StorageError) -> ExchangeOutcome {
        do throws(PoolError) {
            return try await pool.run(steps, milliseconds: milliseconds)
        } catch {
            throw StorageError(error)
        }
    }
}

extension Lease {
    /// The results of steps that all go well, or the error of the first that does not.
    func results(
        _ steps: [Step], in namespace: Namespace, milliseconds: Int
    ) async throws(StorageError) -> [SQLRows] {
        let outcome = await run(steps, milliseconds: milliseconds)
        if let error = outcome.error(in: namespace, milliseconds: milliseconds) { throw error }
        return outcome.results
    }
}

extension ExchangeOutcome {
    /// Why the exchange failed, nil where every step went well.
    func error(in namespace: Namespace, milliseconds: Int, rows: Int = 0, bytes: Int = 0) -> StorageError? {
        switch ending {
        case .tooManyRows:
            return StorageError(
                .outOfRange, "sql.too_many_rows", "The statement gives more than \(rows) rows; ask for a page.")
        case .tooLarge:
            return StorageError(
                .outOfRange, "sql.too_large",
                "The rows are larger than \(bytes) bytes; ask for fewer or for less of each.")
        case .unreadable(let column):
            return StorageError(
                .invalidArgument, "sql.type",
                "The column \(column) has a type that cannot be given; cast it to TEXT, BIGINT or DOUBLE PRECISION.")
        case .stalled: return .statementTimeout(milliseconds: milliseconds)
        case .deadline where failure != nil || isLost: return .statementTimeout(milliseconds: milliseconds)
        case .caller where failure != nil || isLost || results.isEmpty: return .cancelled
        case .deadline, .caller, nil: break
        }
        if let failure { return StorageError(failure.error, in: namespace) }
        return isLost ? .connectionLost("it had gone") : nil
    }
}
