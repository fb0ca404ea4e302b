// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatreContracts

/// How many connections there are, and how long they are kept and waited for.
struct PoolOptions: Sendable {
    var size = 8
    /// How long a caller waits for a connection.
    var waitMilliseconds = 5000
    /// A connection older than this is replaced; each lives up to a tenth less, so that they do not go together.
    var lifetimeMilliseconds = 1_800_000
    /// Callers that may wait.
    var queue = 10_000
    /// Whether callers can do without: they are told at once where the server was not reached the last time, and it is
    /// looked for meanwhile.
    var isOptional = false
}

/// Why there is no connection for a caller.
enum PoolError: Error, Sendable, Hashable {
    case closed, cancelled
    /// All were in use for as long as the caller could wait, or too many wait.
    case busy(milliseconds: Int)
    /// The server cannot be reached or refuses.
    case unreachable(WireError)
}

/// Connections to one server, or to whichever of several takes writes.
///
/// Unchecked: everything but `figures` is touched on the loop's thread only.
final class Pool: @unchecked Sendable {
    /// What there is, for Status.
    struct Figures: Sendable {
        var open = 0
        var idle = 0
        var waiting = 0
        var opened = 0
        /// Dials that failed.
        var failures = 0
        /// Connections that were used no more because their server takes no writes any more.
        var evicted = 0
        var lastError: WireError?
        /// Of the server's last connection.
        var serverVersion: Int32 = 0
    }

    private struct Entry {
        var connection: ServerConnection
        var bornAt: UInt64
        var generation: Int
    }

    private struct Waiter {
        var ticket: Ticket
        var timer: TimerQueue.ID
        var done: (Result<ServerConnection, PoolError>) -> Void
    }

    let loop: EventLoop
    let dialler: Dialler
    let options: PoolOptions
    /// Told what the server refused something with, on the loop's thread.
    let onRefusal: (@Sendable (WireError) -> Void)?
    private let figuresBox = Mutex(Figures())
    private var entries: [ObjectIdentifier: Entry] = [:]
    private var idle: [ServerConnection] = []
    private var waiting: [Waiter] = []
    private var opening = 0
    private var generation = 0
    private var isClosed = false
    /// Called once it is closed and no connection is left.
    private var whenEmpty: [() -> Void] = []
    /// Dials that failed one after another since one succeeded; those of one round count once.
    private var failures = 0
    private var retry: TimerQueue.ID?

    init(
        loop: EventLoop, dialler: Dialler, options: PoolOptions, onRefusal: (@Sendable (WireError) -> Void)? = nil
    ) {
        self.onRefusal = onRefusal
        self.loop = loop
        self.dialler = dialler
        self.options = options
    }

    /// What there is.
    var figures: Figures { figuresBox.withLock { $0 } }

    /// One caller of the pool; touched on the loop's thread only.
    final class Ticket: @unchecked Sendable {
        fileprivate(set) var connection: ServerConnection?
        fileprivate(set) var isAbandoned = false
    }

    // MARK: On the loop's thread

    /// Gives a connection, at once or once there is one.
    func acquire(_ ticket: Ticket, _ done: @escaping (Result<ServerConnection, PoolError>) -> Void) {
        if isClosed { return done(.failure(.closed)) }
        if ticket.isAbandoned { return done(.failure(.cancelled)) }
        if waiting.isEmpty, let connection = takeIdle() {
            ticket.connection = connection
            return done(.success(connection))
        }
        guard waiting.count < options.queue else { return done(.failure(.busy(milliseconds: 0))) }
        if options.isOptional, failures > 0, entries.isEmpty, let error = figures.lastError {
            lookAgain()
            return done(.failure(.unreachable(error)))
        }
        let timer = loop.after(milliseconds: options.waitMilliseconds) { [weak self] in self?.giveUp(ticket) }
        waiting.append(Waiter(ticket: ticket, timer: timer, done: done))
        openWhereNeeded()
        note()
    }

    private func takeIdle() -> ServerConnection? {
        while let connection = idle.popLast() {
            if connection.isIdle, isFit(connection) { return connection }
            drop(connection)
        }
        return nil
    }

    /// Whether it may serve another caller.
    private func isFit(_ connection: ServerConnection) -> Bool {
        guard let entry = entries[ObjectIdentifier(connection)], connection.handle != nil else { return false }
        return entry.generation == generation && !connection.wasCancelled && monotonicMilliseconds() < entry.bornAt
    }

    private func giveUp(_ ticket: Ticket) {
        guard let index = waiting.firstIndex(where: { $0.ticket === ticket }) else { return }
        let waiter = waiting.remove(at: index)
        if failures > 0, let error = figures.lastError {
            waiter.done(.failure(.unreachable(error)))
        } else {
            waiter.done(.failure(.busy(milliseconds: options.waitMilliseconds)))
        }
        note()
    }

    /// The caller waits no longer: it leaves the queue, or its exchange is cancelled.
    func abandon(_ ticket: Ticket) {
        ticket.isAbandoned = true
        if let index = waiting.firstIndex(where: { $0.ticket === ticket }) {
            let waiter = waiting.remove(at: index)
            loop.cancel(waiter.timer)
            waiter.done(.failure(.cancelled))
        } else {
            ticket.connection?.stop(.caller)
        }
    }

    /// Takes a connection back; what it left open is rolled back first.
    func release(_ ticket: Ticket) {
        guard let connection = ticket.connection else { return }
        ticket.connection = nil
        guard isFit(connection), connection.isIdle else {
            drop(connection)
            return openWhereNeeded()
        }
        guard connection.isInTransaction else { return makeIdle(connection) }
        connection.send(
            Exchange([Step("ROLLBACK", isPrepared: false)]) { [weak self] outcome in
                guard let self else { return }
                if outcome.isComplete, self.isFit(connection) {
                    self.makeIdle(connection)
                } else {
                    self.drop(connection)
                    self.openWhereNeeded()
                }
            })
    }

    private func makeIdle(_ connection: ServerConnection) {
        if isClosed { return drop(connection) }
        if waiting.isEmpty {
            idle.append(connection)
        } else {
            let waiter = waiting.removeFirst()
            loop.cancel(waiter.timer)
            waiter.ticket.connection = connection
            waiter.done(.success(connection))
        }
        note()
    }

    private func drop(_ connection: ServerConnection) {
        entries[ObjectIdentifier(connection)] = nil
        idle.removeAll { $0 === connection }
        connection.onEnd = nil
        connection.close()
        note()
    }

    /// Every connection of now is used no more: the server takes no writes, or has gone.
    func evictAll() {
        let evicted = entries.values.count { $0.generation == generation }
        figuresBox.withLock { $0.evicted += evicted }
        generation += 1
        for connection in idle { drop(connection) }
        openWhereNeeded()
    }

    // MARK: Opening

    /// While the server was not reached the last time, one dial at a time looks whether it is back, however many wait.
    private func openWhereNeeded() {
        guard !isClosed, retry == nil else { return }
        let most = failures > 0 ? 1 : options.size
        while opening < min(waiting.count, most), entries.count + opening < options.size { open() }
    }

    private func open() {
        opening += 1
        dialler.dial { [weak self] result in self?.opened(result) }
    }

    /// Whether the server is back, for who does not wait for it.
    private func lookAgain() {
        guard !isClosed, retry == nil, opening == 0 else { return }
        open()
    }

    private func opened(_ result: Result<ServerConnection, WireError>) {
        opening -= 1
        switch result {
        case .success(let connection):
            failures = 0
            figuresBox.withLock {
                $0.opened += 1
                $0.lastError = nil
                $0.serverVersion = connection.serverVersion
            }
            guard !isClosed else { return connection.close() }
            let life = options.lifetimeMilliseconds - Int.random(in: 0...max(1, options.lifetimeMilliseconds / 10))
            entries[ObjectIdentifier(connection)] = Entry(
                connection: connection, bornAt: monotonicMilliseconds() + UInt64(life), generation: generation)
            connection.onEnd = { [weak self, weak connection] _ in
                guard let self, let connection else { return }
                self.ended(connection)
            }
            makeIdle(connection)
            openWhereNeeded()
        case .failure(let error):
            // Of several that were under way together the first says it all.
            if retry == nil { failures += 1 }
            figuresBox.withLock {
                $0.failures += 1
                $0.lastError = error
            }
            if error.isFinal || options.isOptional { failWaiters(.unreachable(error)) }
            openLater()
        }
        note()
    }

    /// After a failure the next try waits, longer each time, and not as long as others'.
    private func openLater() {
        guard retry == nil, !isClosed, !waiting.isEmpty || options.isOptional else { return }
        let longest = min(2000, 25 << min(failures, 7))
        retry = loop.after(milliseconds: Int.random(in: longest / 2...longest)) { [weak self] in
            self?.retry = nil
            self?.openWhereNeeded()
        }
    }

    private func ended(_ connection: ServerConnection) {
        entries[ObjectIdentifier(connection)] = nil
        idle.removeAll { $0 === connection }
        openWhereNeeded()
        note()
    }

    private func failWaiters(_ error: PoolError) {
        let failed = waiting
        waiting = []
        for waiter in failed {
            loop.cancel(waiter.timer)
            waiter.done(.failure(error))
        }
    }

    private func note() {
        figuresBox.withLock {
            $0.open = entries.count
            $0.idle = idle.count
            $0.waiting = waiting.count
        }
        guard isClosed, entries.isEmpty else { return }
        let then = whenEmpty
        whenEmpty = []
        for body in then { body() }
    }

    /// Nobody is served any more: what runs is cancelled, and every connection ends. `then` is called once all have, which
    /// takes some seconds where the server does not answer.
    func close(_ then: @escaping () -> Void) {
        isClosed = true
        whenEmpty.append(then)
        failWaiters(.closed)
        for entry in entries.values where !entry.connection.isIdle { entry.connection.stop(.caller) }
        dropIdle(until: monotonicMilliseconds() + 3500)
        note()
    }

    /// Ends connections whose statement has ended, whoever still has them; all of them at the end of the time.
    private func dropIdle(until end: UInt64) {
        let isOver = monotonicMilliseconds() >= end
        for entry in Array(entries.values) where isOver || entry.connection.isIdle { drop(entry.connection) }
        guard !entries.isEmpty else { return }
        _ = loop.after(milliseconds: 20) { [weak self] in self?.dropIdle(until: end) }
    }
}

extension WireError {
    /// Whether trying again is of no use before somebody has changed something.
    var isFinal: Bool { state.hasPrefix("28") || state == "3D000" || kind == .local || kind == .untrusted }
}
