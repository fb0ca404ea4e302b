// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Password

/// Whether there is an account is not to be seen by how much is hashed: counted, and not timed.
struct OneVerificationTests {
    private static let cost = Argon2Cost(memoryKiB: 64, iterations: 1, parallelism: 1)

    @Test(arguments: [
        (true, "a good password", true), (true, "a wrong password", false), (true, "", false),
        (true, String(repeating: "x", count: 5000), false), (false, "a good password", false), (false, "", false),
        (false, String(repeating: "x", count: 5000), false),
    ])
    func oneHashIsVerifiedWhoeverIsAskedFor(_ isKnown: Bool, _ secret: String, _ expected: Bool) async throws {
        let hash = try Argon2id.hash("a good password", Self.cost)
        let decoy = try Argon2id.decoy(Self.cost)
        var verified: [(secret: String, cost: Argon2Cost?)] = []
        let holds = try await OneVerification.holds(secret, for: isKnown ? hash : nil, decoy: decoy) { secret, hash in
            verified.append((secret, Argon2Cost(phc: hash)))
            return try Argon2id.verify(secret, hash)
        }
        #expect(holds == expected)
        #expect(verified.count == 1)
        #expect(verified.first?.cost == Self.cost)
        #expect(verified.first.map { $0.secret.unicodeScalars.count <= 128 } == true)
    }

    /// Not even a provider whose work says yes to all lets somebody in for whom there is no hash.
    @Test func nobodyIsLetInByTheDecoy() async throws {
        #expect(try await !OneVerification.holds("a good password", for: nil, decoy: "") { _, _ in true })
        #expect(
            try await !OneVerification.holds(String(repeating: "x", count: 129), for: "hash", decoy: "") { _, _ in true
            }
        )
    }
}
