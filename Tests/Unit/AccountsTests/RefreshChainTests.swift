// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Testing

@testable import Accounts

struct RefreshChainTests {
    static let limits = RefreshChain.Limits(grace: 10_000, idle: 1_000_000, absolute: 5_000_000)

    /// The name of a token stands for its hash; its successor is one more letter.
    private func hash(_ name: String) -> [UInt8] { Array(name.utf8) }

    @Test func aTokenIsTradedOnceAndAnsweredAgainWithinTheGrace() {
        var chain = RefreshChain(first: hash("a"), at: 0)
        #expect(chain.present(hash("a"), successor: hash("aa"), at: 100, Self.limits) == .rotated)
        #expect(chain.present(hash("a"), successor: hash("aa"), at: 10_100, Self.limits) == .repeated)
        #expect(chain.current == hash("aa") && chain.rotatedAt == 100)
        #expect(chain.present(hash("a"), successor: hash("aa"), at: 10_101, Self.limits) == .reused)
        #expect(chain.present(hash("aa"), successor: hash("aaa"), at: 10_102, Self.limits) == .refused)
    }

    @Test func aTokenWhoseSuccessorWasUsedEndsTheSessionAtOnce() {
        var chain = RefreshChain(first: hash("a"), at: 0)
        _ = chain.present(hash("a"), successor: hash("aa"), at: 1, Self.limits)
        _ = chain.present(hash("aa"), successor: hash("aaa"), at: 2, Self.limits)
        #expect(chain.present(hash("a"), successor: hash("aa"), at: 3, Self.limits) == .reused)
        #expect(chain.revokedAt == 3)
    }

    @Test func withoutAGraceASecondUseEndsTheSession() {
        let strict = RefreshChain.Limits(grace: 0, idle: 1000, absolute: 1000)
        var chain = RefreshChain(first: hash("a"), at: 0)
        _ = chain.present(hash("a"), successor: hash("aa"), at: 5, strict)
        #expect(chain.present(hash("a"), successor: hash("aa"), at: 5, strict) == .reused)
    }

    @Test func aSessionLapsesWhenIdleAndAtItsEnd() {
        var idle = RefreshChain(first: hash("a"), at: 0)
        #expect(idle.present(hash("a"), successor: hash("aa"), at: 1_000_001, Self.limits) == .refused)
        #expect(idle.revokedAt == nil)
        var busy = RefreshChain(first: hash("a"), at: 0)
        var name = "a"
        for step in 1...5 {
            #expect(
                busy.present(hash(name), successor: hash(name + "a"), at: Int64(step) * 1_000_000, Self.limits)
                    == .rotated)
            name += "a"
        }
        #expect(busy.present(hash(name), successor: hash(name + "a"), at: 5_000_001, Self.limits) == .refused)
    }

    @Test func aSuccessorOfAnotherVersionOfTheKeyEndsNothing() {
        var chain = RefreshChain(first: hash("a"), at: 0)
        _ = chain.present(hash("a"), successor: hash("aa"), at: 1, Self.limits)
        #expect(chain.present(hash("a"), successor: hash("xx"), at: 2, Self.limits) == .remade)
        #expect(chain.revokedAt == nil && chain.current == hash("aa"))
    }

    /// Random uses of any token ever given out, ends and passing time, against what a list of tokens says.
    @Test(arguments: 1...200) func anySequenceKeepsAtMostOneTokenAlive(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var chain = RefreshChain(first: hash("a"), at: 0)
        var given = ["a"]
        var rotated: [String: Int64] = [:]
        var now: Int64 = 0
        var ended = false
        for _ in 0..<60 {
            now += [0, 1, 5_000, 10_001, 400_000].randomElement(using: &random) ?? 0
            if Int.random(in: 0..<40, using: &random) == 0 {
                #expect(chain.revoke(at: now) == !ended)
                ended = true
                continue
            }
            // The newest half of the time, else any.
            let place = Bool.random(using: &random) ? given.count - 1 : Int.random(in: 0..<given.count, using: &random)
            let token = given[place]
            let before = chain
            let outcome = chain.present(hash(token), successor: hash(token + "a"), at: now, Self.limits)
            let lapsed = now - before.usedAt > Self.limits.idle || now - before.createdAt > Self.limits.absolute
            if ended || lapsed {
                #expect(outcome == .refused && chain == before)
            } else if place == given.count - 1 {
                #expect(outcome == .rotated)
                rotated[token] = now
                given.append(token + "a")
            } else if place == given.count - 2, now - (rotated[token] ?? 0) <= Self.limits.grace {
                #expect(outcome == .repeated && chain == before)
            } else {
                #expect(outcome == .reused)
                ended = true
            }
            #expect((chain.revokedAt != nil) == ended)
            #expect(chain.current == hash(given[given.count - 1]))
        }
    }
}
