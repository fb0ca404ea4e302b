// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

/// The read of the event log that a realtime stream waits with.
let eventRead = "theatre.events.v1.Log/Read"

/// Realtime streams against the real process.
@Suite(.serialized) struct EventStreamTests {
    @Test func aStreamWhoseClientGoesAwayLetsItsReadGo() async throws {
        let server = try await ServerProcess.start(Sources.defaultDeployment)
        let person = try await Account.new(on: server)
        for count in 1...3 {
            try await person.client.follow("user:\(person.id)") { $0.contains("started") }
            // The read would wait ten seconds for an event.
            try await eventually("read \(count) is given up", seconds: 5) {
                try await server.client.calls(of: "sqlite", eventRead, code: "CANCELLED") == count ? true : nil
            }
        }
        try await server.stop()
    }
}
