// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore
internal import Runtime

/// A stream of server-sent events on one connection. Used on its event loop only.
final class EventStream {
    private let handler: RequestHandler
    private let exchange: Exchange
    private let feed: any EventFeed
    private let channels: [String]
    private let tenant: String
    private var after: Int64
    private var resumesAt: Int64?
    private var isStarted = false
    /// Gives up the read that is under way; nil where there is none.
    private var giveUp: (@Sendable () -> Void)?
    private var isWritable = true
    private var isEnded = false
    private var heartbeat: RepeatedTask?
    private var slow: Scheduled<Void>?
    private var retry: Scheduled<Void>?

    /// - Parameter resumesAt: the last offset the client saw; nil to start at the log's end, -1 where it was unreadable.
    init(
        _ handler: RequestHandler, _ exchange: Exchange, feed: any EventFeed, channels: [String], tenant: String,
        resumesAt: Int64?
    ) {
        self.handler = handler
        self.exchange = exchange
        self.feed = feed
        self.channels = channels
        self.tenant = tenant
        self.resumesAt = resumesAt
        after = resumesAt.map { $0 < 0 ? .max : $0 } ?? .max
    }

    private var loop: any EventLoop { handler.state.loop }
    private var settings: GatewayConfiguration.Realtime { handler.core.configuration.realtime }

    func start() {
        handler.startStream(
            exchange,
            headers: [
                ("content-type", "text/event-stream"), ("cache-control", "no-store"), ("x-accel-buffering", "no"),
            ])
        let bound = NIOLoopBound(self, eventLoop: loop)
        heartbeat = loop.scheduleRepeatedTask(initialDelay: settings.heartbeat, delay: settings.heartbeat) { _ in
            if bound.value.isWritable { bound.value.handler.sendPart(EventStreamFormat.heartbeat) }
        }
        handler.state.streams[ObjectIdentifier(self)] = self
        read()
    }

    /// Reads the next page unless one is being read, the socket is full or the stream has ended.
    private func read() {
        guard giveUp == nil, isWritable, !isEnded else { return }
        let loop = loop
        let bound = NIOLoopBound(self, eventLoop: loop)
        // Its result comes in a later turn of the loop, so it cannot overtake what is stored here.
        giveUp = feed.read(
            after: after, channels: channels, limit: settings.batch,
            waitMilliseconds: isStarted ? settings.waitMilliseconds : 0
        ) { result in
            loop.execute { bound.value.received(result) }
        }
    }

    private func received(_ result: Result<EventPage, CallError>) {
        giveUp = nil
        guard !isEnded else { return }
        switch result {
        case .success(let page):
            isStarted ? deliver(page) : begin(page)
            read()
        case .failure(let error):
            handler.core.log.debug("event log cannot be read", metadata: ["error.reason": "\(error.reason)"])
            let bound = NIOLoopBound(self, eventLoop: loop)
            retry = loop.scheduleTask(in: .seconds(1)) { bound.value.read() }
        }
    }

    /// Tells the client whether it missed anything, from the first page.
    private func begin(_ page: EventPage) {
        isStarted = true
        switch resumesAt {
        case nil:
            after = page.head
            handler.sendPart(EventStreamFormat.state("started", offset: after))
        case let last? where last < 0 || last > page.head:
            after = page.head
            handler.sendPart(EventStreamFormat.state("reset", offset: after))
        case let last?:
            if let oldest = page.oldest, last + 1 < oldest {
                handler.sendPart(EventStreamFormat.state("gap", offset: oldest))
            } else {
                handler.sendPart(EventStreamFormat.state("resumed", offset: last))
            }
            deliver(page)
        }
    }

    private func deliver(_ page: EventPage) {
        var out = ByteBuffer()
        for event in page.events where event.tenant == tenant { EventStreamFormat.write(event, into: &out) }
        let last = page.events.last?.offset ?? after
        after = page.events.count < settings.batch ? max(page.head, last, after) : last
        if out.readableBytes > 0 { handler.sendPart(out) }
    }

    /// Pauses while the socket is full, and gives the reader up if it stays so.
    func writabilityChanged(_ isWritable: Bool) {
        guard self.isWritable != isWritable, !isEnded else { return }
        self.isWritable = isWritable
        slow?.cancel()
        slow = nil
        if isWritable { return read() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        slow = loop.scheduleTask(in: settings.slowConsumer) { bound.value.close(reason: "slow_consumer") }
    }

    /// The host drains.
    func finish() { close(reason: "draining") }

    private func close(reason: String) {
        guard !isEnded else { return }
        handler.sendPart(EventStreamFormat.state("dropped", offset: after, reason: reason))
        stop()
        handler.stream = nil
        handler.endStream(exchange)
    }

    /// The connection is gone.
    func stop() {
        isEnded = true
        giveUp?()
        giveUp = nil
        heartbeat?.cancel()
        slow?.cancel()
        retry?.cancel()
        handler.state.streams[ObjectIdentifier(self)] = nil
    }
}
