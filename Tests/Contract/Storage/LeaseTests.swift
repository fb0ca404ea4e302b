// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// Leases: one holder at a time, and a token that only grows, on every engine.
struct LeaseTests {
    private func acquire(_ storage: Storage, _ holder: String, ttl: UInt32 = 1000, as instance: String = "notes")
        async throws -> LeaseLease
    {
        try await LeaseLeasesClient(storage.scope(as: instance), feature: "leases").acquire(
            .with {
                $0.name = "leader"
                $0.holder = holder
                $0.ttlMs = ttl
            })
    }

    @Test(arguments: Engine.allCases)
    func oneHoldsALeaseAtATime(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let holders = await withTaskGroup(of: String?.self) { group in
            for index in 0..<8 {
                group.addTask { (try? await acquire(storage, "h\(index)", ttl: 600_000))?.holder }
            }
            return await group.reduce(into: [String]()) { if let holder = $1 { $0.append(holder) } }
        }
        #expect(holders.count == 1)
        let taken = await #expect(throws: PluginError.self) { try await acquire(storage, "late") }
        #expect(taken?.reason == "lease.taken" && taken?.code == .failedPrecondition)
        #expect(try await storage.leases.get(.with { $0.name = "leader" }).holder == holders.first)
    }

    @Test(arguments: Engine.allCases)
    func aReleasedLeaseGoesOnWithAHigherToken(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let first = try await acquire(storage, "a")
        let same = try await acquire(storage, "a")
        #expect(same.fencingToken == first.fencingToken && same.expiresAt >= first.expiresAt)
        _ = try await storage.leases.release(
            .with {
                $0.name = "leader"
                $0.holder = "a"
                $0.fencingToken = first.fencingToken
            })
        let free = await #expect(throws: PluginError.self) {
            try await storage.leases.get(.with { $0.name = "leader" })
        }
        #expect(free?.reason == "lease.free")
        let second = try await acquire(storage, "b")
        #expect(second.fencingToken > first.fencingToken)
        let lost = await #expect(throws: PluginError.self) {
            try await storage.leases.renew(
                .with {
                    $0.name = "leader"
                    $0.holder = "a"
                    $0.fencingToken = first.fencingToken
                    $0.ttlMs = 1000
                })
        }
        #expect(lost?.reason == "lease.lost")
        // A late release of the first takes nothing from the second.
        _ = try await storage.leases.release(
            .with {
                $0.name = "leader"
                $0.holder = "a"
                $0.fencingToken = first.fencingToken
            })
        #expect(try await storage.leases.get(.with { $0.name = "leader" }).holder == "b")
    }

    @Test(arguments: Engine.allCases)
    func namesBelongToTheirInstance(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        _ = try await acquire(storage, "a", ttl: 600_000)
        #expect(try await acquire(storage, "b", as: "other").holder == "b")
    }
}
