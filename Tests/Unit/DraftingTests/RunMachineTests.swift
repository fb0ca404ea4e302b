// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Testing

@testable import Drafting

/// Random interleavings of work, kills, stops and two workers at once, against a row and a ledger.
struct RunMachineTests {
    /// What the world looks like to the machine.
    struct World {
        enum Hold { case held, settled, voided }

        var row = RunMachine()
        var hold = Hold.held
        var settles = 0
        var voids = 0
        var scenes: [Int] = []
        var ends = 0
        let beats: Int

        /// Effects of a unit of work outside the row, once or again.
        mutating func perform(_ work: RunMachine.Work) -> RunMachine.Outcome {
            switch work {
            case .outline: return .done(beats: beats)
            case .settle:
                guard hold != .voided else { return .failed("ledger.hold_voided", isPassing: false) }
                if hold == .held { settles += 1 }
                hold = .settled
            case .void:
                guard hold != .settled else { return .settledBefore }
                if hold == .held { voids += 1 }
                hold = .voided
            default: break
            }
            return .done()
        }

        /// Compare and set, as the store does.
        mutating func store(_ after: RunMachine, before: RunMachine, _ work: RunMachine.Work) {
            guard row.status == before.status, row.step == before.step, row.scenes == before.scenes else { return }
            if case .scene(let number) = work, after.failure == nil { scenes.append(number) }
            if after.step == .done, row.step != .done { ends += 1 }
            row = after
        }
    }

    @Test(arguments: 0..<400)
    func chipsAreSettledOrFreedOnce(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var world = World(beats: Int.random(in: 1...4, using: &random))
        // Two workers: what each has in hand between its effect and its commit.
        var hands: [(before: RunMachine, work: RunMachine.Work, outcome: RunMachine.Outcome)?] = [nil, nil]
        var isCanceled = false
        for turn in 0..<600 {
            let worker = Int.random(in: 0...1, using: &random)
            let isCalm = turn > 400
            switch Int.random(in: 0..<20, using: &random) {
            case 0 where !isCalm: hands[worker] = nil  // Killed.
            case 1 where !isCalm:
                var row = world.row
                if row.cancel() {
                    world.row = row
                    isCanceled = true
                }
            default:
                guard let hand = hands[worker] else {
                    guard let work = world.row.next else { continue }
                    let fails = !isCalm && Int.random(in: 0..<8, using: &random) == 0
                    let isPassing = Bool.random(using: &random)
                    // A failure that is final has no effect; one that passes may have had it.
                    var outcome = RunMachine.Outcome.failed("test.failed", isPassing: isPassing)
                    if !fails { outcome = world.perform(work) } else if isPassing { _ = world.perform(work) }
                    if fails, !isPassing, work == .void { outcome = world.perform(work) }
                    hands[worker] = (world.row, work, outcome)
                    continue
                }
                hands[worker] = nil
                var after = hand.before
                let isLast = Int.random(in: 0..<4, using: &random) == 0
                if after.handle(hand.work, hand.outcome, isLast: isLast) == .store {
                    world.store(after, before: hand.before, hand.work)
                }
            }
        }
        #expect(world.row.next == nil && world.ends == 1)
        #expect(world.settles + world.voids == 1)
        #expect(world.scenes == Array(1...max(1, world.scenes.count)) || world.scenes.isEmpty)
        #expect(world.scenes.count <= world.beats)
        switch world.row.status {
        case .succeeded: #expect(world.settles == 1 && world.scenes.count == world.beats)
        case .failed: #expect(world.voids == 1 && world.row.failure != nil)
        case .canceled: #expect(world.voids == 1 && isCanceled)
        case .queued, .running: Issue.record("the run never ended")
        }
    }

    @Test func progressNeverFallsOnTheWayToSuccess() {
        var machine = RunMachine()
        var seen = [machine.progress]
        while let work = machine.next {
            #expect(machine.handle(work, .done(beats: 7), isLast: false) == .store)
            seen.append(machine.progress)
        }
        #expect(seen == seen.sorted() && seen.last == 100 && machine.status == .succeeded)
    }

    @Test(arguments: [RunMachine.Step.settle, .void, .announce, .done])
    func lateStepsCannotBeStopped(_ step: RunMachine.Step) {
        var machine = RunMachine(status: .running, step: step)
        #expect(!machine.cancel() && machine.status == .running)
    }
}
