// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import PaymentSimulator
@testable import SQLite

/// What every payment provider does.
struct SuiteTests {
    @Test(arguments: PaymentSuite.cases) func theSuiteHolds(_ rule: SuiteCase<PaymentSubject>) async throws {
        let bench = try await Bench()
        // The simulator is its own emulator: what it has is what it answers.
        let numbers = ["suite_000001"] + Disturbance.allCases.indices.map { "suite_lost_\($0)" }
        let isLost = Mutex(false)
        let subject = PaymentSubject(
            client: bench.client, notifyURL: "http://127.0.0.1:8080/api/v1/payments/simulator/notify",
            settle: { try await bench.fireAll() }, notifications: { bench.sent.withLock { $0.map(Self.received) } },
            known: {
                var known: Set<String> = []
                for number in numbers where await bench.reason({ try await bench.query(number) }).isEmpty {
                    known.insert(number)
                }
                return known
            },
            disturb: { disturbance in
                isLost.withLock { $0 = disturbance == .answerLost }
                return disturbance == .answerLost
            },
            edit: { request in if isLost.withLock({ $0 }) { request.fault = "unknown" } })
        try await rule.run(subject)
    }

    /// A notification as the gateway hands it over.
    private static func received(_ sent: HostFetchRequest) -> HTTPRequest {
        .with {
            $0.method = sent.method
            $0.body = sent.body
            $0.headers = sent.headers.map { header in
                .with {
                    $0.name = header.name
                    $0.value = header.value
                }
            }
        }
    }
}
