// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Runtime

/// The states of an instance and the ways between them.
@Suite struct InstanceStateTests {
    private static let evidence = LoadError(plugin: "x", code: "c", expected: "e", found: "f", fix: "g")
    private static let life: [InstanceState] = [
        .discovered, .verified, .loaded, .configured, .ready, .draining, .retired,
    ]

    @Test func aWholeLifeIsAllowedStepByStep() {
        for (from, to) in zip(Self.life, Self.life.dropFirst()) { #expect(InstanceState.allows(from, to)) }
    }

    @Test func nothingGoesBack() {
        for (index, from) in Self.life.enumerated() {
            for to in Self.life[...index] { #expect(!InstanceState.allows(from, to), "\(from) → \(to)") }
        }
    }

    @Test func anythingThatLivesCanBeQuarantined() {
        for state in Self.life.dropLast() { #expect(InstanceState.allows(state, .quarantined(Self.evidence))) }
        #expect(!InstanceState.allows(.retired, .quarantined(Self.evidence)))
        #expect(!InstanceState.allows(.disabled, .ready))
    }
}
