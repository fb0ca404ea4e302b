// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Baseline
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Requests that leave when they are due, whether or not those before were answered; each is timed from when it was due.
final class PacedClient: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let channels: [any Channel]
    private let head: HTTPRequestHead

    static func connect(port: Int, path: String, connections: Int) async throws -> PacedClient {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let bootstrap = ClientBootstrap(group: group).channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(Answers())
                }
            }
        var channels: [any Channel] = []
        for _ in 0..<connections { channels.append(try await bootstrap.connect(host: "127.0.0.1", port: port).get()) }
        let fields: HTTPHeaders = [
            "host": "127.0.0.1", "content-type": "application/json", "content-length": "2",
        ]
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: path, headers: fields)
        return PacedClient(group, channels, head)
    }

    private init(_ group: MultiThreadedEventLoopGroup, _ channels: [any Channel], _ head: HTTPRequestHead) {
        self.group = group
        self.channels = channels
        self.head = head
    }

    /// p99 in milliseconds.
    ///
    /// - Throws: where one is not answered with 200.
    func run(perSecond: Int, seconds: Int) async throws -> Double {
        let count = perSecond * seconds
        let times = Times()
        let loop = group.next()
        // The loop itself sends: no other thread need wake up in time.
        let began = baseline_now() + 1_000_000
        let (head, channels) = (head, channels)
        let done = loop.makePromise(of: Void.self)
        loop.execute {
            Self.send(0, of: count, began, 1_000_000_000 / UInt64(perSecond), head, channels, times, loop, done)
        }
        try await done.futureResult.get()
        for _ in 0..<1000 where times.count < count { try await Task.sleep(for: .milliseconds(10)) }
        return try times.percentile(0.99, of: count)
    }

    private static func send(
        _ number: Int, of count: Int, _ began: UInt64, _ gap: UInt64, _ head: HTTPRequestHead,
        _ channels: [any Channel], _ times: Times, _ loop: any EventLoop, _ done: EventLoopPromise<Void>
    ) {
        var number = number
        while number < count, began + UInt64(number) * gap <= baseline_now() {
            let due = began + UInt64(number) * gap
            let channel = channels[number % channels.count]
            channel.write(Sent.mark(due, times), promise: nil)
            channel.write(Sent.part(.head(head)), promise: nil)
            channel.write(Sent.part(.body(.byteBuffer(ByteBuffer(string: "{}")))), promise: nil)
            channel.writeAndFlush(Sent.part(.end(nil)), promise: nil)
            number += 1
        }
        guard number < count else { return done.succeed() }
        let next = number
        loop.scheduleTask(deadline: .uptimeNanoseconds(began + UInt64(next) * gap)) {
            send(next, of: count, began, gap, head, channels, times, loop, done)
        }
    }

    func close() async throws {
        for channel in channels { try await channel.close() }
        try await group.shutdownGracefully()
    }
}

/// What goes down a connection: parts of requests, and before each when it was due.
private enum Sent: Sendable {
    case mark(UInt64, Times)
    case part(HTTPClientRequestPart)
}

/// Answers come in the order of the requests.
private final class Answers: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = Sent
    typealias OutboundOut = HTTPClientRequestPart

    private var due: [(UInt64, Times)] = []
    private var isGood = false

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .mark(let time, let times): due.append((time, times))
        case .part(let part): context.write(wrapOutboundOut(part), promise: promise)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): isGood = head.status == .ok
        case .body: break
        case .end:
            guard !due.isEmpty else { return }
            let (time, times) = due.removeFirst()
            times.add(isGood ? Double(baseline_now() - time) / 1e6 : nil)
        }
    }
}

/// Times of requests.
private final class Times: Sendable {
    private let state = Mutex<(times: [Double], failures: Int)>(([], 0))

    var count: Int { state.withLock { $0.times.count + $0.failures } }

    func add(_ milliseconds: Double?) {
        state.withLock { state in
            if let milliseconds { state.times.append(milliseconds) } else { state.failures += 1 }
        }
    }

    func percentile(_ part: Double, of count: Int) throws -> Double {
        let (times, failures) = state.withLock { $0 }
        guard failures == 0, times.count == count else {
            throw BenchmarkFailure("of \(count) requests \(failures) failed and \(count - times.count) had no answer")
        }
        return times.sorted()[Int(Double(count) * part)]
    }
}
