// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Gateway
@testable import Runtime

@Suite struct RealtimeTests {
    final class Feed: EventFeed {
        struct Read {
            var after: Int64
            var channels: [String]
            var wait: Int
            var completion: @Sendable (Result<EventPage, CallError>) -> Void
        }
        private let reads = Mutex<[Read]>([])
        private let abandoned = Mutex(0)
        var count: Int { reads.withLock { $0.count } }
        /// How many reads were given up.
        var givenUp: Int { abandoned.withLock { $0 } }

        func read(
            after: Int64, channels: [String], limit: Int, waitMilliseconds: Int,
            completion: @escaping @Sendable (Result<EventPage, CallError>) -> Void
        ) -> @Sendable () -> Void {
            reads.withLock {
                $0.append(Read(after: after, channels: channels, wait: waitMilliseconds, completion: completion))
            }
            return { self.abandoned.withLock { $0 += 1 } }
        }

        /// Answers the open read and tells what it asked for.
        @discardableResult
        func answer(_ page: EventPage) -> Int64? {
            guard let read = reads.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { return nil }
            read.completion(.success(page))
            return read.after
        }
    }

    static func event(_ offset: Int64, tenant: String = "t1", data: String = "{\n}") -> FeedEvent {
        FeedEvent(
            offset: offset, id: "evt_\(offset)", type: "draft.done", aggregate: "run_1", data: data,
            at: 951_827_696_789,
            tenant: tenant)
    }

    static func bench() throws -> (Bench, Feed) {
        let feed = Feed()
        var services = GatewayServices()
        services.events = feed
        let calls = FakeCalls()
        calls.serveStandings { $0.project == "prj_1" ? (.viewer, .active) : (.unspecified, .active) }
        let bench = try Bench(calls, [], services: services, policy: "access")
        bench.know("token", Principal(id: "usr_1", kind: .user, tenant: "t1", expiresAt: .max))
        return (bench, feed)
    }

    static func follow(_ channels: String, _ headers: [String] = []) -> String {
        request("GET", "/api/v1/realtime/sse?channels=\(channels)", ["Authorization: Bearer token"] + headers)
    }

    @Test func freshStreamStartsAtTheEndOfTheLog() throws {
        let (bench, feed) = try Self.bench()
        let head = try bench.send(Self.follow("user:usr_1,project:prj_1"))
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(head.contains("content-type: text/event-stream\r\n"))
        #expect(feed.answer(EventPage(events: [], head: 7)) == .max)
        bench.loop.run()
        #expect(try bench.received().contains("id: 7\nevent: stream\ndata: {\"state\":\"started\",\"offset\":7}\n\n"))
        #expect(feed.answer(EventPage(events: [Self.event(8), Self.event(9, tenant: "t2")], head: 9)) == 7)
        bench.loop.run()
        let text = try bench.received()
        let expected = """
            id: 8
            event: draft.done
            data: {"event_id":"evt_8","type":"draft.done","aggregate":"run_1","at":"2000-02-29T12:34:56.789Z","data":{ }}


            """
        #expect(text.contains(expected), "\(text)")
        #expect(!text.contains("evt_9"))
        #expect(feed.answer(EventPage(events: [], head: 9)) == 9)
    }

    @Test(arguments: [("5", "resumed", 5), ("99", "reset", 7), ("x", "reset", 7), ("2", "gap", 4)])
    func resumeSaysWhatWasMissed(last: String, state: String, offset: Int) throws {
        let (bench, feed) = try Self.bench()
        try bench.send(Self.follow("user:usr_1", ["Last-Event-ID: \(last)"]))
        let events: [FeedEvent] = state == "resumed" ? [Self.event(6)] : []
        feed.answer(EventPage(events: events, head: 7, oldest: 4))
        bench.loop.run()
        let text = try bench.received()
        #expect(text.contains("{\"state\":\"\(state)\",\"offset\":\(offset)}"), "\(text)")
        #expect(text.contains("id: 6\n") == (state == "resumed"))
        #expect(feed.answer(EventPage(events: [], head: 7)) == 7)
    }

    @Test(arguments: [
        ("user:usr_2", "403"), ("project:prj_2", "403"), ("user:usr_1,project:prj_2", "403"), ("", "400"),
        ("other:1", "400"),
    ])
    func otherChannelsAreRefused(channels: String, status: String) throws {
        let (bench, feed) = try Self.bench()
        #expect(try bench.send(Self.follow(channels)).hasPrefix("HTTP/1.1 \(status) "))
        #expect(feed.count == 0)
    }

    @Test func streamNeedsAToken() throws {
        let (bench, _) = try Self.bench()
        let answer = try bench.send(request("GET", "/api/v1/realtime/sse?channels=user:usr_1"))
        #expect(answer.hasPrefix("HTTP/1.1 401 "))
    }

    @Test func heartbeatsKeepTheStreamOpenAndSlowReadersAreDropped() throws {
        let (bench, feed) = try Self.bench()
        try bench.send(Self.follow("user:usr_1"))
        feed.answer(EventPage(events: [], head: 0))
        bench.advance(seconds: 61)
        #expect(try bench.received().components(": heartbeat\n\n") == 4)
        bench.channel.isWritable = false
        bench.channel.pipeline.fireChannelWritabilityChanged()
        feed.answer(EventPage(events: [Self.event(1)], head: 1))
        bench.loop.run()
        #expect(feed.count == 0)
        bench.advance(seconds: 32)
        #expect(try bench.received().contains("\"state\":\"dropped\",\"offset\":1,\"reason\":\"slow_consumer\""))
        #expect(!bench.channel.isActive)
    }

    /// The feed over theatre.events.v1.Log, from the request it makes to the page it reads.
    @Test func theLogsPluginIsAskedAndItsAnswerRead() throws {
        let calls = FakeCalls()
        calls.serve("theatre.events.v1.Log/Read") { call in
            let oldest: Int64 = call.context.message.principalKind == .system ? 4 : 0
            let response = EventsReadResponse.with {
                $0.head = 9
                $0.oldest = oldest
                $0.events = [
                    .with {
                        $0.offset = 8
                        $0.eventID = "evt_8"
                        $0.type = "draft.done"
                        $0.aggregate = "run_1"
                        $0.data = "{}"
                        $0.at = 5
                        $0.tenant = "t1"
                    }
                ]
            }
            do { return .success(try response.serializedBytes()) } catch {
                return .failure(CallError(.internal, "test.encoding", "\(error)"))
            }
        }
        let pages = Mutex<[Result<EventPage, CallError>]>([])
        let feed = LogEventFeed(calls: calls, instance: { "sqlite" })
        let giveUp = feed.read(after: 7, channels: ["user:usr_1"], limit: 10, waitMilliseconds: 250) { page in
            pages.withLock { $0.append(page) }
        }
        // It has completed: giving it up now changes nothing.
        giveUp()
        let page = try #require(pages.withLock { $0.first }).get()
        #expect(page.head == 9 && page.oldest == 4)
        #expect(
            page.events == [
                FeedEvent(
                    offset: 8, id: "evt_8", type: "draft.done", aggregate: "run_1", data: "{}", at: 5, tenant: "t1")
            ])
        let asked = try EventsReadRequest(serializedBytes: #require(calls.calls.first).payload)
        #expect(asked.after == 7 && asked.channels == ["user:usr_1"] && asked.limit == 10 && asked.waitMs == 250)
    }

    @Test(arguments: ["closed", "failed", "garbage", "old"]) func aLogThatDoesNotAnswerIsAnError(_ fault: String) throws
    {
        let calls = FakeCalls()
        calls.serve("theatre.events.v1.Log/Read") { _ in
            switch fault {
            case "failed": .failure(CallError(.unavailable, "sql.busy", "Busy."))
            case "garbage": .success([0xFF, 0xFF])
            default: .success([])
            }
        }
        if fault == "closed" { calls.close("sqlite") }
        let pages = Mutex<[Result<EventPage, CallError>]>([])
        let giveUp = LogEventFeed(calls: calls, instance: { "sqlite" }).read(
            after: 0, channels: [], limit: 10, waitMilliseconds: 0
        ) { page in pages.withLock { $0.append(page) } }
        giveUp()
        let found = try #require(pages.withLock { $0.first })
        let reasons = ["closed": "instance.closed", "failed": "sql.busy", "garbage": "gateway.response"]
        switch found {
        case .failure(let error): #expect(error.reason == reasons[fault])
        // A log that cannot tell its oldest offset never reports a gap.
        case .success(let page): #expect(fault == "old" && page.oldest == nil)
        }
        #expect(pages.withLock { $0.count } == 1)
    }

    @Test func drainEndsStreams() throws {
        let (bench, feed) = try Self.bench()
        try bench.send(Self.follow("user:usr_1"))
        feed.answer(EventPage(events: [], head: 0))
        bench.loop.run()
        #expect(feed.givenUp == 0)
        bench.endStreams()
        #expect(try bench.received().contains("\"reason\":\"draining\""))
        #expect(!bench.channel.isActive)
        #expect(feed.givenUp == 1)
    }

    @Test func theReadIsGivenUpWhenTheClientGoesAway() throws {
        let (bench, feed) = try Self.bench()
        try bench.send(Self.follow("user:usr_1"))
        feed.answer(EventPage(events: [], head: 0))
        bench.loop.run()
        #expect(feed.count == 1)
        bench.channel.pipeline.fireChannelInactive()
        #expect(feed.givenUp == 1)
        feed.answer(EventPage(events: [Self.event(1)], head: 1))
        bench.loop.run()
        #expect(feed.count == 0, "nothing is read for a client that is gone")
        #expect(feed.givenUp == 1)
    }

    @Test func aReadThatIsGivenUpIsCancelledAtThePlugin() throws {
        let calls = FakeCalls()
        calls.serve("theatre.events.v1.Log/Read") { _ in nil }
        let ended = Mutex<[String]>([])
        let feed = LogEventFeed(calls: calls, instance: { "log" })
        let giveUp = feed.read(after: 0, channels: ["user:usr_1"], limit: 1, waitMilliseconds: 10_000) { result in
            ended.withLock { $0.append((try? result.get()) == nil ? "failed" : "page") }
        }
        #expect((calls.open, calls.cancelled) == (1, 0))
        giveUp()
        #expect(calls.cancelled == 1)
        calls.finish(.failure(CallError(.cancelled, "call.cancelled", "given up")))
        #expect(ended.withLock { $0 } == ["failed"])
    }
}
