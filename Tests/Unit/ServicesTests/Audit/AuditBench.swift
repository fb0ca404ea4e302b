// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Runtime
import SeededRandom
import Synchronization

@testable import Services

/// A key for the audit log that no file holds.
struct OneKey: KeySource {
    let version: KeyVersion

    init() throws {
        guard let jwk = KeyVersion.generate("EdDSA"), let version = try KeyVersion(jwk) else {
            throw CocoaError(.coderReadCorrupt)
        }
        self.version = version
    }

    var now: Int64 { 0 }

    func versions(of key: String) throws(CallError) -> [KeyVersion] { [version] }
}

/// A shelf, a clock, a key and sealers.
struct AuditBench {
    let shelf = AuditShelf()
    let clock = ManualClock()
    let keys: OneKey
    static let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    init() throws {
        keys = try OneKey()
        // A storage without leases: every sealer has its turn at all times.
        shelf.calls.handle("sqlite", "theatre.lease.v1.Leases/Acquire") { _, then in
            then(.failure(CallError(.unimplemented, "instance.no_operation", "No leases here.")))
        }
    }

    func sealer(_ holder: String = "a") -> AuditSealer {
        let sealer = AuditSealer(
            shelf.calls, storage: "sqlite", keys: keys, key: "audit", clock: clock, holder: holder, log: Self.silent)
        shelf.sealers.withLock { $0.append(sealer) }
        return sealer
    }

    /// A log of `rows` rows of `tenants` tenants, sealed in segments of different lengths, the last ones open.
    static func filled(_ random: inout SeededGenerator, rows: Int, tenants: Int = 2) throws -> AuditBench {
        let bench = try AuditBench()
        let sealer = bench.sealer()
        sealer.start()
        for _ in 0..<rows {
            bench.shelf.append("t\(Int.random(in: 0..<tenants, using: &random))", at: bench.clock.wall)
            if Int.random(in: 0..<4, using: &random) == 0 {
                bench.clock.advance(.random(in: 100...6000, using: &random))
            }
        }
        bench.clock.advance(20_000)
        return bench
    }
}
