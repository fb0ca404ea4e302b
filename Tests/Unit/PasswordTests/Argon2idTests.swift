// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Password

/// Published vectors of the reference implementation, and one of the OWASP minimum made by two other libraries.
struct Argon2idTests {
    struct Vector: Sendable {
        var password: String
        var salt: String
        var cost: Argon2Cost
        var hash: String
    }

    static let vectors = [
        Vector(
            password: "password", salt: "somesalt", cost: Argon2Cost(memoryKiB: 65536, iterations: 2, parallelism: 1),
            hash: "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"),
        Vector(
            password: "password", salt: "somesalt", cost: Argon2Cost(memoryKiB: 256, iterations: 2, parallelism: 2),
            hash: "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"),
        Vector(
            password: "correct horse battery staple", salt: "0123456789abcdef",
            cost: Argon2Cost(memoryKiB: 19456, iterations: 2, parallelism: 1),
            hash:
                "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gy5SuVm5Z7Vw7keB9se9p87QGcomaseB/S2U1OhTsM0"),
    ]

    @Test(arguments: vectors) func aPublishedVectorIsMadeAndVerified(_ vector: Vector) throws {
        let hash = try Argon2id.hash(vector.password, salt: Array(vector.salt.utf8), vector.cost)
        #expect(hash == vector.hash)
        #expect(try Argon2id.verify(vector.password, vector.hash))
        #expect(try !Argon2id.verify(vector.password + " ", vector.hash))
        #expect(Argon2Cost(phc: vector.hash) == vector.cost)
    }

    @Test func everyHashHasASaltOfItsOwn() throws {
        let cost = Argon2Cost(memoryKiB: 64, iterations: 1, parallelism: 1)
        let first = try Argon2id.hash("the same", cost)
        let second = try Argon2id.hash("the same", cost)
        #expect(first != second)
        // 16 bytes are 22 digits without padding, 32 are 43.
        #expect(first.split(separator: "$")[3].count == 22)
        #expect(first.split(separator: "$")[4].count == 43)
    }

    @Test(arguments: [
        "", "$argon2i$v=19$m=1,t=1,p=1$a$b", "$argon2id$v=16$m=1,t=1,p=1$a$b", "$argon2id$v=19$m=1,t=1$a$b",
        "$argon2id$v=19$m=x,t=1,p=1$a$b", "argon2id$v=19$m=1,t=1,p=1$a$b",
    ])
    func anotherFormHasNoCost(_ text: String) {
        #expect(Argon2Cost(phc: text) == nil)
    }

    @Test(
        arguments: [
            (19456, 2, true), (19455, 2, false), (47104, 1, true), (19456, 1, false), (12288, 3, true), (9216, 4, true),
            (7168, 5, true), (7167, 9, false), (7168, 9, true), (1, 0, false),
        ] as [(UInt32, UInt32, Bool)])
    func theMinimumIsThatOfOWASP(_ memory: UInt32, _ iterations: UInt32, _ meets: Bool) {
        #expect(Argon2Cost(memoryKiB: memory, iterations: iterations, parallelism: 1).meetsMinimum == meets)
    }

    /// What stands for an unknown account takes as long as a known one, and lets nobody in.
    @Test(arguments: ["", "a password", "another"]) func aDecoyHasItsCostAndNoPassword(_ password: String) throws {
        let cost = Argon2Cost(memoryKiB: 64, iterations: 2, parallelism: 2)
        let decoy = try Argon2id.decoy(cost)
        #expect(Argon2Cost(phc: decoy) == cost)
        #expect(try !Argon2id.verify(password, decoy))
        #expect(try Argon2id.decoy(cost) != decoy)
    }

    @Test func aBrokenHashIsAFaultAndNoRefusal() {
        #expect(throws: (any Error).self) { try Argon2id.verify("x", "$argon2id$v=19$broken") }
    }
}
