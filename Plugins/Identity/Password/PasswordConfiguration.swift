// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct PasswordConfiguration: Decodable, Sendable {
    var memoryKiB: UInt32
    var iterations: UInt32
    var parallelism: UInt32
    var threads: UInt
    var queue: Int

    enum CodingKeys: String, CodingKey {
        case memoryKiB = "memory_kib"
        case iterations, parallelism, threads, queue
    }

    /// Hashes at once.
    func threads(cores: Int) -> Int { threads == 0 ? max(1, cores - 1) : Int(threads) }

    /// What new hashes cost.
    var cost: Argon2Cost { Argon2Cost(memoryKiB: memoryKiB, iterations: iterations, parallelism: parallelism) }
}
