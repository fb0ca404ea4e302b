// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CPostgreSQL
import Glibc
import TheatreContracts

/// One connection of libpq, never blocking. It sends an exchange as a pipeline and reads what comes back.
///
/// Unchecked: made anywhere, then touched on the loop's thread only.
final class ServerConnection: DescriptorWatcher, @unchecked Sendable {
    private enum Expected {
        case prepared(PreparedNames.Key, step: Int)
        case discarded
        case result(step: Int)
        case synchronized
    }

    let loop: EventLoop
    /// Told once, when the connection is no more; not for one that ``close()`` ended.
    var onEnd: ((WireError) -> Void)?
    /// Told when the server notifies of a channel, and whether this very connection had asked it to.
    var onNotification: ((_ channel: String, _ isOwn: Bool) -> Void)?
    private(set) var handle: OpaquePointer?
    private var token: UInt64 = 0
    private var connecting: ((WireError?) -> Void)?
    private var names: PreparedNames
    private let prepares: Bool

    private var exchange: Exchange?
    private var expected: [Expected] = []
    private var place = 0
    private var hasBegun = false
    private var collector: RowCollector?
    private var isPaused = false
    private(set) var wasCancelled = false
    private let canceller: BlockingThread

    /// - Parameter prepares: false where a proxy gives each transaction another server.
    init(handle: OpaquePointer?, loop: EventLoop, canceller: BlockingThread, prepares: Bool) {
        self.handle = handle
        self.loop = loop
        self.canceller = canceller
        self.prepares = prepares
        names = PreparedNames(capacity: 256)
    }

    deinit { if let handle { PQfinish(handle) } }

    var isIdle: Bool { handle != nil && exchange == nil && connecting == nil }
    /// Whether a transaction is open.
    var isInTransaction: Bool {
        let status = PQtransactionStatus(handle)
        return status != PQTRANS_IDLE && status != PQTRANS_UNKNOWN
    }
    /// The number by which the server names it.
    var processID: Int32 { PQbackendPID(handle) }
    /// 150012 for 15.12.
    var serverVersion: Int32 { PQserverVersion(handle) }

    // MARK: Connecting

    /// Goes on with a connection that was begun, until it is there or failed.
    func connect(_ done: @escaping (WireError?) -> Void) {
        guard let handle, PQstatus(handle) != CONNECTION_BAD else {
            return fail(connecting: done)
        }
        cpg_drop_notices(handle)
        PQsetnonblocking(handle, 1)
        connecting = done
        token = loop.watch(PQsocket(handle), self, readable: false, writable: true)
    }

    private func fail(connecting done: (WireError?) -> Void) {
        let error = WireError(connection: handle)
        connecting = nil
        close()
        done(error)
    }

    private func goOnConnecting(_ done: @escaping (WireError?) -> Void) {
        let before = PQsocket(handle)
        let state = PQconnectPoll(handle)
        // libpq may try another address on another descriptor, perhaps of the same number.
        if PQsocket(handle) != before || PQstatus(handle) == CONNECTION_NEEDED || PQstatus(handle) == CONNECTION_STARTED
        {
            loop.unwatch(token)
            if state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING {
                token = loop.watch(
                    PQsocket(handle), self, readable: state == PGRES_POLLING_READING,
                    writable: state == PGRES_POLLING_WRITING)
                return
            }
        }
        switch state {
        case PGRES_POLLING_READING: loop.watch(token, readable: true, writable: false)
        case PGRES_POLLING_WRITING: loop.watch(token, readable: false, writable: true)
        case PGRES_POLLING_OK:
            loop.watch(token, readable: true, writable: false)
            connecting = nil
            guard PQenterPipelineMode(handle) == 1 else { return fail(connecting: done) }
            done(nil)
        default: fail(connecting: done)
        }
    }

    /// Ends it. An exchange under way is answered as lost.
    func close() {
        loop.unwatch(token)
        if let handle { PQfinish(handle) }
        handle = nil
        if exchange != nil { finish(lost: true) }
        if let connecting {
            self.connecting = nil
            connecting(WireError(.connection, message: "the connection was given up"))
        }
    }

    private func end(_ error: WireError) {
        let onEnd = onEnd
        self.onEnd = nil
        let outcomeError = error
        if let exchange, exchange.outcome.failure == nil {
            exchange.outcome.failure = (exchange.outcome.results.count, outcomeError)
        }
        loop.unwatch(token)
        if let handle { PQfinish(handle) }
        handle = nil
        let exchange = takeExchange()
        exchange?.outcome.isLost = true
        onEnd?(error)
        if let exchange { exchange.completion(exchange.outcome) }
    }

    // MARK: Sending

    /// Sends the steps of `exchange` and a synchronization behind them. The connection must be idle.
    func send(_ exchange: Exchange) {
        precondition(isIdle, "one exchange at a time")
        self.exchange = exchange
        expected = []
        place = 0
        hasBegun = false
        isPaused = false
        for (index, step) in exchange.steps.enumerated() {
            guard send(step, index) else { return end(WireError(connection: handle)) }
        }
        expected.append(.synchronized)
        guard PQpipelineSync(handle) == 1 else { return end(WireError(connection: handle)) }
        flush()
    }

    private func send(_ step: Step, _ index: Int) -> Bool {
        let parameters = WireParameters(step.values)
        var sent: Int32 = 0
        if prepares, step.isPrepared {
            guard let name = prepare(step, parameters.types, index) else { return false }
            sent = parameters.withPointers { count, values, lengths, formats in
                PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1)
            }
        } else {
            sent = parameters.withPointers { count, values, lengths, formats in
                PQsendQueryParams(handle, step.sql, count, parameters.types, values, lengths, formats, 1)
            }
        }
        expected.append(.result(step: index))
        if sent == 1, step.flushes { sent = PQsendFlushRequest(handle) }
        return sent == 1
    }

    private func prepare(_ step: Step, _ types: [UInt32], _ index: Int) -> String? {
        let key = PreparedNames.Key(namespace: step.namespace, sql: step.sql, types: types)
        if let name = names.name(of: key) { return name }
        let (name, evicted) = names.add(key)
        if let evicted {
            expected.append(.discarded)
            guard PQsendQueryParams(handle, "DEALLOCATE \(evicted)", 0, nil, nil, nil, nil, 1) == 1 else { return nil }
        }
        expected.append(.prepared(key, step: index))
        return PQsendPrepare(handle, name, step.sql, Int32(types.count), types) == 1 ? name : nil
    }

    /// The server forgot what was prepared, or what it prepared no longer fits.
    func forgetStatements() { names.removeAll() }

    private func flush() {
        switch PQflush(handle) {
        case 0: watch(writable: false)
        case 1: watch(writable: true)
        default: end(WireError(connection: handle))
        }
    }

    private func watch(writable: Bool) {
        loop.watch(token, readable: !isPaused, writable: writable)
    }

    // MARK: Reading

    func ready(readable: Bool, writable: Bool) {
        if let connecting { return goOnConnecting(connecting) }
        guard handle != nil else { return }
        if readable {
            guard PQconsumeInput(handle) == 1 else { return readThenEnd() }
        }
        if writable { flush() }
        readResults()
        readNotifications()
        // An idle connection of which the server says something fatal is of no use any more.
        if exchange == nil, connecting == nil, handle != nil, PQstatus(handle) == CONNECTION_BAD {
            end(WireError(connection: handle))
        }
    }

    /// What the server said before it closed is read first: it says why.
    private func readThenEnd() {
        let error = WireError(connection: handle)
        readResults()
        if handle != nil { end(error) }
    }

    private func readNotifications() {
        while let handle, let notification = PQnotifies(handle) {
            let channel = String(cString: notification.pointee.relname)
            let isOwn = notification.pointee.be_pid == PQbackendPID(handle)
            PQfreemem(notification)
            onNotification?(channel, isOwn)
        }
    }

    /// Rows are wanted again.
    func resume() {
        guard isPaused, handle != nil else { return }
        isPaused = false
        loop.watch(token, readable: true, writable: false)
        readResults()
    }

    private func readResults() {
        while let exchange, let handle, place < expected.count, !isPaused {
            begin(exchange)
            if PQisBusy(handle) != 0 { return }
            guard let result = PQgetResult(handle) else {
                // The end of one command's results.
                if case .synchronized = expected[place] {
                    if PQstatus(handle) == CONNECTION_BAD { return end(WireError(connection: handle)) }
                    return
                }
                place += 1
                hasBegun = false
                continue
            }
            take(result, exchange)
            PQclear(result)
        }
    }

    /// Before the first look at a command's results: rows one by one have to be asked for then.
    private func begin(_ exchange: Exchange) {
        guard !hasBegun else { return }
        hasBegun = true
        guard case .result(let step) = expected[place] else { return }
        if let bounds = exchange.steps[step].bounds {
            PQsetSingleRowMode(handle)
            collector = RowCollector(bounds: bounds, sink: exchange.sink)
        } else {
            collector = RowCollector(bounds: Bounds(rows: .max, bytes: .max), sink: nil)
        }
    }

    private func take(_ result: OpaquePointer, _ exchange: Exchange) {
        switch PQresultStatus(result) {
        case PGRES_PIPELINE_SYNC:
            finish(lost: false)
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE, PGRES_EMPTY_QUERY:
            guard case .result = expected[place] else { return }
            takeRows(result, exchange)
        case PGRES_PIPELINE_ABORTED:
            if case .prepared(let key, _) = expected[place] { names.remove(key) }
        default:
            takeFailure(WireError(result: result), exchange)
        }
    }

    private func takeFailure(_ error: WireError, _ exchange: Exchange) {
        switch expected[place] {
        case .prepared(let key, let step):
            names.remove(key)
            if exchange.outcome.failure == nil { exchange.outcome.failure = (step, error) }
        case .result(let step):
            if exchange.outcome.failure == nil { exchange.outcome.failure = (step, error) }
        case .discarded, .synchronized:
            if exchange.outcome.failure == nil { exchange.outcome.failure = (exchange.outcome.results.count, error) }
        }
        // A plan made for another schema, or a name that a proxy's other server does not know.
        if error.state == "0A000" || error.state == "26000" { names.removeAll() }
    }

    private func takeRows(_ result: OpaquePointer, _ exchange: Exchange) {
        guard var collector else { return }
        self.collector = nil
        // Nobody takes a stream's rows any more; waiting for somebody would hold the end back.
        if exchange.sink != nil, exchange.outcome.ending != nil { return }
        let ending = collector.take(result)
        if let ending {
            stop(ending)
        } else if PQresultStatus(result) == PGRES_SINGLE_TUPLE {
            if collector.mustWait {
                collector.mustWait = false
                isPaused = true
                loop.watch(token, readable: false, writable: false)
            }
            self.collector = collector
        } else {
            exchange.outcome.results.append(collector.finish(result))
        }
    }

    // MARK: Ending an exchange

    /// Ends the exchange under way from this side: the server is asked to cancel, and what still comes is dropped.
    func stop(_ ending: ExchangeOutcome.Ending) {
        guard let exchange, exchange.outcome.ending == nil else { return }
        exchange.outcome.ending = ending
        isPaused = false
        loop.watch(token, readable: true, writable: true)
        wasCancelled = true
        askToCancel()
        let stopped = exchange
        // One that comes before its statement has begun is lost.
        for milliseconds in [50, 200, 1000] {
            _ = loop.after(milliseconds: milliseconds) { [weak self] in
                guard let self, self.exchange === stopped else { return }
                self.askToCancel()
            }
        }
        // A server that cannot be reached does not answer to this either.
        _ = loop.after(milliseconds: 3000) { [weak self] in
            guard let self, self.exchange === stopped else { return }
            self.end(WireError(.connection, message: "the server did not answer a cancellation"))
        }
    }

    private func askToCancel() {
        guard let cancel = PQgetCancel(handle) else { return }
        let pointer = CancelPointer(value: cancel)
        canceller.execute {
            var message = [CChar](repeating: 0, count: 256)
            // Where it fails the exchange ends by its own, or by its connection's end.
            _ = PQcancel(pointer.value, &message, Int32(message.count))
            PQfreeCancel(pointer.value)
        }
    }

    private struct CancelPointer: @unchecked Sendable {
        /// Used by the cancelling thread alone from now on.
        let value: OpaquePointer
    }

    private func takeExchange() -> Exchange? {
        defer {
            exchange = nil
            expected = []
            collector = nil
            isPaused = false
        }
        return exchange
    }

    private func finish(lost: Bool) {
        guard let exchange = takeExchange() else { return }
        if lost { exchange.outcome.isLost = true }
        exchange.completion(exchange.outcome)
    }
}
