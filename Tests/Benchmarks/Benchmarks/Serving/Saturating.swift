// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Baseline
import FoundationEssentials
import NIOPosix

/// 1,000 requests a second to a plugin, open loop: alone, while passwords are hashed as fast as they can be, and while
/// sign-ins wait for each other, which do much besides.
enum Saturating {
    private static let rate = 1000
    private static let seconds = 3
    private static let rounds = 5
    /// More than there are threads to hash for, and fewer than may wait.
    private static let waiting = 12

    static func run(_ server: BenchServer, _ folder: String, _ table: inout Table) async throws {
        let load = try await PacedClient.connect(port: server.port, path: "/open/\(server.project)", connections: 32)
        let signIns = try Wrk(
            folder, "login",
            """
            wrk.method = "POST"
            wrk.headers["content-type"] = "application/json"
            wrk.body = '\(BenchServer.person)'

            """)
        let hashes = try Wrk(folder, "hash", "wrk.method = \"POST\"\n")
        var calm = Samples(), hashing = Samples(), signingIn = Samples(), hashed = Samples(), signedIn = Samples()
        func beside(_ wrk: Wrk, _ path: String, _ p99: inout Samples, _ rates: inout Samples) async throws {
            async let others = NIOThreadPool.singleton.runIfActive {
                try wrk.run(port: server.port, path: path, connections: waiting, seconds: seconds + 2).perSecond
            }
            try await Task.sleep(for: .seconds(1))
            p99.add(try await load.run(perSecond: rate, seconds: seconds))
            rates.add(try await others)
        }
        _ = try await load.run(perSecond: rate, seconds: 1)
        for _ in 0..<rounds {
            calm.add(try await load.run(perSecond: rate, seconds: seconds))
            try await beside(hashes, "/hash/\(server.project)", &hashing, &hashed)
            try await beside(signIns, "/api/v1/auth/login", &signingIn, &signedIn)
        }
        table.add(
            Row("p99 at 1,000 a second, beside hashing", unit: "ms", bare: calm, hashing, target: "<= 2x") { $0 <= 2 })
        table.add(Row("hashes meanwhile", unit: "/s", hashed, target: "printed"))
        table.add(
            Row("p99 at 1,000 a second, beside sign-ins", unit: "ms", bare: calm, signingIn, target: "printed"))
        table.add(Row("sign-ins meanwhile", unit: "/s", signedIn, target: "printed"))
        try await load.close()
    }
}
