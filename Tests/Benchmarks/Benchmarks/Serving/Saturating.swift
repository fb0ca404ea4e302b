// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Baseline
import FoundationEssentials
import NIOPosix

/// 1,000 requests a second to a plugin, open loop, while nobody signs in and while sign-ins wait for each other.
enum Saturating {
    private static let rate = 1000
    private static let seconds = 3
    private static let rounds = 5
    /// More than there are threads to hash for, and fewer than may wait.
    private static let signingIn = 12

    static func run(_ server: BenchServer, _ folder: String, _ table: inout Table) async throws {
        let load = try await PacedClient.connect(port: server.port, path: "/open/\(server.project)", connections: 32)
        let signIns = try Wrk(
            folder, "login",
            """
            wrk.method = "POST"
            wrk.headers["content-type"] = "application/json"
            wrk.body = '\(BenchServer.person)'

            """)
        var calm = Samples(), saturated = Samples(), hashes = Samples()
        _ = try await load.run(perSecond: rate, seconds: 1)
        for _ in 0..<rounds {
            calm.add(try await load.run(perSecond: rate, seconds: seconds))
            async let signedIn = NIOThreadPool.singleton.runIfActive {
                try signIns.run(
                    port: server.port, path: "/api/v1/auth/login", connections: signingIn, seconds: seconds + 2
                ).perSecond
            }
            try await Task.sleep(for: .seconds(1))
            saturated.add(try await load.run(perSecond: rate, seconds: seconds))
            hashes.add(try await signedIn)
        }
        table.add(
            Row("p99 at 1,000 a second, beside sign-ins", unit: "ms", bare: calm, saturated, target: "<= 2x") {
                $0 <= 2
            })
        table.add(Row("sign-ins meanwhile", unit: "/s", hashes, target: "printed"))
        try await load.close()
    }
}
