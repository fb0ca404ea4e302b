// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import SeededRandom
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// Random histories of refusals, failures and moves.
@Suite struct EventHistoryTests {
    /// Whatever is refused, fails or moves: of each aggregate the last deliveries are in order, and all are taken.
    @Test(arguments: 1...20)
    func anyHistoryKeepsEachAggregateInOrder(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let bench = EventBench()
        let held = Mutex<[(EventsEvent, FakeCalls.Then)]>([])
        let done = Mutex<[String: [Int64]]>([:])
        let overlaps = Mutex(0)
        bench.calls.hold("inbox", "theatre.events.v1.Consumer/Deliver") { payload, then in
            guard let request = try? EventsDeliverRequest(serializedBytes: payload) else { return }
            held.withLock { held in
                if held.contains(where: { $0.0.aggregate == request.event.aggregate }) {
                    overlaps.withLock { $0 += 1 }
                }
                held.append((request.event, then))
            }
        }
        let pump = bench.pump()
        pump.serve([EventConsumer(instance: "inbox", subscriptions: [.init(types: [], maxAttempts: 1000)])])
        for step in 0..<500 {
            switch Int.random(in: 0..<12, using: &random) {
            case 0...2 where step < 350:
                bench.log.append("abcdefg".randomElement(using: &random).map { String($0) } ?? "")
            case 3...8:
                let entry = held.withLock { held in
                    held.isEmpty ? nil : held.remove(at: Int.random(in: 0..<held.count, using: &random))
                }
                guard let (event, then) = entry else { continue }
                guard Int.random(in: 0..<4, using: &random) > 0 else {
                    then(.failure(CallError(.unavailable, "x", "Y.", retry: .safe)))
                    continue
                }
                done.withLock { $0[event.aggregate, default: []].append(event.offset) }
                then(.success([]))
            case 9: bench.log.failReads(1)
            case 10 where step % 5 == 0:
                bench.log.setCursor(Int64.random(in: 0...max(0, bench.log.cursor), using: &random))
            default: bench.clock.advance(Int64.random(in: 1...2000, using: &random))
            }
        }
        for _ in 0..<2000 {
            while let (event, then) = held.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
                done.withLock { $0[event.aggregate, default: []].append(event.offset) }
                then(.success([]))
            }
            bench.clock.advance(1000)
            if bench.log.cursor == bench.log.head { break }
        }
        #expect(bench.log.cursor == bench.log.head)
        #expect(overlaps.withLock { $0 } == 0)
        for (_, offsets) in done.withLock({ $0 }) {
            // A step back is a replay, after which everything comes again up to where it was; none is left out.
            var seen: Set<Int64> = []
            for offset in offsets {
                #expect(Set(offsets.filter { $0 < offset }).isSubset(of: seen))
                seen.insert(offset)
            }
        }
        #expect(Set(done.withLock { $0.values.flatMap { $0 } }).count == Int(bench.log.head))
    }
}
