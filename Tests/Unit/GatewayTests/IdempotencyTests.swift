// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOCore
import NIOEmbedded
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Gateway
@testable import Runtime

@Suite struct IdempotencyTests {
    /// A storage plugin that keeps what ``keep`` tells it to.
    final class Storage: Sendable {
        let answers = Mutex<[String: SQLFindAnswerResponse]>([:])

        func serve(on calls: FakeCalls) {
            calls.serve("theatre.sql.v1.Database/FindAnswer") { call in
                guard let request = try? SQLFindAnswerRequest(serializedBytes: call.payload),
                    let found: [UInt8] = try?
                        (self.answers.withLock { $0[request.idempotencyKey] } ?? SQLFindAnswerResponse())
                        .serializedBytes()
                else { return .failure(CallError(.internal, "test.broken", "broken")) }
                return .success(found)
            }
        }

        func keep(_ call: FakeCalls.Call, _ answer: String) {
            let context = call.context.message
            let key = context.idempotencyKey.isEmpty ? context.requestID : context.idempotencyKey
            answers.withLock {
                $0[key] = .with {
                    $0.found = true
                    $0.requestDigest = context.requestDigest
                    $0.answer.payload = Data(answer.utf8)
                    $0.answer.status = 201
                }
            }
        }
    }

    static func bench(
        keeps: Bool = true, verify: Bool = false, answer: FakeCalls.Answer? = nil
    ) throws -> (Bench, FakeCalls, Storage) {
        let calls = FakeCalls()
        let storage = Storage()
        storage.serve(on: calls)
        calls.serve("test.Echo/Echo") { call in
            if let answer { return answer(call) }
            if keeps { storage.keep(call, "kept") }
            return .success(Array("fresh".utf8))
        }
        var services = GatewayServices()
        services.answers = SQLAnswerStore(calls: calls) { "storage" }
        let entry = RouteEntry.echo("POST", "/pay", on: calls, audit: "change", idempotent: false)
        return (try Bench(calls, [entry], services: services) { $0.verifyAnswers = verify }, calls, storage)
    }

    static func pay(_ body: String = "1", key: String = "k") -> String {
        request("POST", "/pay", ["Idempotency-Key: \(key)"], body: body)
    }

    static func effects(_ calls: FakeCalls) -> Int { calls.calls.count { $0.operation == "test.Echo/Echo" } }

    @Test func sameRequestIsReplayedAndAnotherRefused() throws {
        let (bench, calls, _) = try Self.bench()
        #expect(try bench.send(Self.pay()).hasSuffix("\r\n\r\nfresh"))
        let replay = try bench.send(Self.pay())
        #expect(replay.hasPrefix("HTTP/1.1 201 "))
        #expect(replay.contains("idempotency-replayed: true\r\n"))
        #expect(replay.hasSuffix("\r\n\r\nkept"))
        let other = try bench.send(Self.pay("2"))
        #expect(other.hasPrefix("HTTP/1.1 409 "))
        #expect(other.contains("request.key_reused"))
        #expect(Self.effects(calls) == 1)
        #expect(calls.calls.first { $0.operation == "test.Echo/Echo" }?.context.message.answerRequired == true)
    }

    @Test(arguments: ["", String(repeating: "k", count: 201), "a\u{7}"])
    func oddKeyIsRefused(key: String) throws {
        let (bench, calls, _) = try Self.bench()
        let answer = try bench.send(Self.pay(key: key))
        #expect(answer.hasPrefix("HTTP/1.1 400 "))
        #expect(calls.calls.isEmpty)
    }

    @Test func keyInFlightIsAConflictAndStaysTakenWhenTheClientLeaves() throws {
        let (bench, calls, _) = try Self.bench { _ in nil }
        #expect(try bench.send(Self.pay()).isEmpty)
        let second = try Bench(sharing: bench)
        let refused = try second.send(Self.pay())
        #expect(refused.hasPrefix("HTTP/1.1 409 "))
        #expect(refused.contains("retry-after: 1\r\n"))
        try bench.channel.close().wait()
        bench.loop.run()
        #expect(try second.send(Self.pay()).hasPrefix("HTTP/1.1 409 "))
        calls.finish(.failure(CallError(.cancelled, "call.cancelled", "cancelled")))
        #expect(try second.send(Self.pay()).isEmpty)
        #expect(calls.open == 1)
    }

    @Test func answerOfAnotherHostIsReplayed() throws {
        let storage = Mutex<Storage?>(nil)
        let (bench, _, kept) = try Self.bench { call in
            storage.withLock { $0 }?.keep(call, "theirs")
            return .failure(CallError(.alreadyExists, "sql.answer_exists", "another host answered"))
        }
        storage.withLock { $0 = kept }
        #expect(try bench.send(Self.pay()).hasSuffix("\r\n\r\ntheirs"))
    }

    @Test(arguments: [true, false]) func changeWithoutStoredAnswerFailsWhereThatIsVerified(withKey: Bool) throws {
        let text = withKey ? Self.pay() : request("POST", "/pay", body: "1")
        let (good, _, _) = try Self.bench(verify: true)
        #expect(try good.send(text).hasPrefix("HTTP/1.1 200 "))
        let (bad, _, _) = try Self.bench(keeps: false, verify: true)
        let answer = try bad.send(text)
        #expect(answer.hasPrefix("HTTP/1.1 500 "))
        #expect(answer.contains("gateway.answer_missing"))
    }
}
