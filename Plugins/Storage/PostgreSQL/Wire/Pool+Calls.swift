// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

/// A connection that one caller has, from any thread.
final class Lease: Sendable {
    private let pool: Pool
    private let ticket: Pool.Ticket

    fileprivate init(pool: Pool, ticket: Pool.Ticket) {
        self.pool = pool
        self.ticket = ticket
    }

    deinit { release() }

    /// Sends `steps` and waits for what becomes of them; a cancelled task cancels them on the server.
    func run(_ steps: [Step], milliseconds: Int = 0, sink: (any RowSink)? = nil) async -> ExchangeOutcome {
        let work = Pool.Work(steps: steps, milliseconds: milliseconds, sink: sink)
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                pool.loop.execute { [pool, ticket] in
                    guard let connection = ticket.connection, connection.isIdle, !ticket.isAbandoned else {
                        var outcome = ExchangeOutcome()
                        outcome.isLost = !ticket.isAbandoned
                        if ticket.isAbandoned { outcome.ending = .caller }
                        return continuation.resume(returning: outcome)
                    }
                    pool.send(work, on: connection) { outcome in
                        StartHere.start(if: outcome.isSmall) { continuation.resume(returning: outcome) }
                    }
                } orElse: {
                    var outcome = ExchangeOutcome()
                    outcome.isLost = true
                    continuation.resume(returning: outcome)
                }
            }
        } onCancel: {
            pool.loop.execute { [pool, ticket] in pool.abandon(ticket) }
        }
    }

    /// Rows are wanted again, after a sink that was full.
    func resume() {
        pool.loop.execute { [ticket] in ticket.connection?.resume() }
    }

    /// Ends what runs.
    func stop(_ ending: ExchangeOutcome.Ending) {
        pool.loop.execute { [ticket] in ticket.connection?.stop(ending) }
    }

    /// Gives the connection back; what is open is rolled back. Without effect the second time.
    func release() {
        pool.loop.execute { [pool, ticket] in pool.release(ticket) }
    }
}

extension Result<ExchangeOutcome, PoolError> {
    fileprivate var isSmall: Bool {
        if case .success(let outcome) = self { outcome.isSmall } else { true }
    }
}

extension Pool {
    fileprivate struct Work: Sendable {
        var steps: [Step]
        /// Longest time, 0 for none.
        var milliseconds: Int
        var sink: (any RowSink)?
    }

    /// A connection of one's own.
    func lease() async throws(PoolError) -> Lease {
        let ticket = Ticket()
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Result<Void, PoolError>, Never>) in
                loop.execute {
                    self.acquire(ticket) { result in
                        StartHere.start(if: true) { continuation.resume(returning: result.map { _ in }) }
                    }
                } orElse: {
                    continuation.resume(returning: .failure(.closed))
                }
            }
        } onCancel: {
            loop.execute { self.abandon(ticket) }
        }
        try result.get()
        return Lease(pool: self, ticket: ticket)
    }

    /// Sends `steps` on any connection and gives it back.
    func run(_ steps: [Step], milliseconds: Int = 0) async throws(PoolError) -> ExchangeOutcome {
        let ticket = Ticket()
        let work = Work(steps: steps, milliseconds: milliseconds, sink: nil)
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation {
                (continuation: UnsafeContinuation<Result<ExchangeOutcome, PoolError>, Never>) in
                loop.execute {
                    self.run(work, ticket) { result in
                        StartHere.start(if: result.isSmall) {
                            continuation.resume(returning: result)
                        }
                    }
                } orElse: {
                    continuation.resume(returning: .failure(.closed))
                }
            }
        } onCancel: {
            loop.execute { self.abandon(ticket) }
        }
        return try result.get()
    }

    /// As ``run(_:milliseconds:)`` for work that nobody waits for.
    func submit(_ steps: [Step], _ done: @escaping @Sendable (Result<ExchangeOutcome, PoolError>) -> Void) {
        loop.execute {
            self.run(Work(steps: steps, milliseconds: 60_000, sink: nil), Ticket(), done)
        } orElse: {
            done(.failure(.closed))
        }
    }

    private func run(
        _ work: Work, _ ticket: Ticket, _ done: @escaping (Result<ExchangeOutcome, PoolError>) -> Void
    ) {
        acquire(ticket) { result in
            switch result {
            case .failure(let error): done(.failure(error))
            case .success(let connection):
                self.send(work, on: connection) { outcome in
                    self.release(ticket)
                    done(.success(outcome))
                }
            }
        }
    }

    fileprivate func send(
        _ work: Work, on connection: ServerConnection, _ done: @escaping (ExchangeOutcome) -> Void
    ) {
        var timer: TimerQueue.ID?
        let exchange = Exchange(work.steps) { [loop, onRefusal] outcome in
            if let timer { loop.cancel(timer) }
            if let failure = outcome.failure, !failure.error.state.isEmpty { onRefusal?(failure.error) }
            done(outcome)
        }
        exchange.sink = work.sink
        if work.milliseconds > 0 {
            timer = loop.after(milliseconds: work.milliseconds) { [weak connection] in connection?.stop(.deadline) }
        }
        connection.send(exchange)
    }
}
