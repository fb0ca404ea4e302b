// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// How much work a hash is.
struct Argon2Cost: Sendable, Hashable {
    /// Memory, in KiB.
    var memoryKiB: UInt32
    /// Passes over the memory.
    var iterations: UInt32
    /// Lanes.
    var parallelism: UInt32

    /// The least memory for a number of passes that OWASP recommends: equal costs by different means.
    private static let leastMemory: [(iterations: UInt32, memoryKiB: UInt32)] = [
        (5, 7168), (4, 9216), (3, 12288), (2, 19456), (1, 47104),
    ]

    /// The least the algorithm takes: to find out whether it works, never to keep a password.
    static let cheapest = Argon2Cost(memoryKiB: 8, iterations: 1, parallelism: 1)

    /// A cost.
    init(memoryKiB: UInt32, iterations: UInt32, parallelism: UInt32) {
        self.memoryKiB = memoryKiB
        self.iterations = iterations
        self.parallelism = parallelism
    }

    /// The cost in a PHC string `$argon2id$v=19$m=…,t=…,p=…$salt$tag`; nil for another form.
    init?(phc: String) {
        let fields = phc.split(separator: "$", omittingEmptySubsequences: false)
        guard fields.count == 6, fields[0].isEmpty, fields[1] == "argon2id", fields[2] == "v=19" else { return nil }
        let values = fields[3].split(separator: ",", omittingEmptySubsequences: false)
        guard values.count == 3, values[0].hasPrefix("m="), values[1].hasPrefix("t="), values[2].hasPrefix("p="),
            let memory = UInt32(values[0].dropFirst(2)), let iterations = UInt32(values[1].dropFirst(2)),
            let parallelism = UInt32(values[2].dropFirst(2))
        else { return nil }
        self.init(memoryKiB: memory, iterations: iterations, parallelism: parallelism)
    }

    /// Whether it is at least what OWASP recommends.
    var meetsMinimum: Bool {
        guard let least = Self.leastMemory.first(where: { iterations >= $0.iterations }) else { return false }
        return memoryKiB >= least.memoryKiB
    }

    /// Whether a hash of this cost falls short of another cost in anything.
    func isBelow(_ wanted: Argon2Cost) -> Bool {
        memoryKiB < wanted.memoryKiB || iterations < wanted.iterations || parallelism < wanted.parallelism
    }
}
