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
        var givenUp = 0
        // A client that goes between two reads leaves none to be given up, so some streams may not count.
        for _ in 1...9 where givenUp < 3 {
            try await person.client.follow("user:\(person.id)") { $0.contains("started") }
            let before = givenUp
            do {
                // The read itself would wait ten seconds for an event, and end as OK.
                givenUp = try await eventually("a read is given up", seconds: 5) {
                    let count = try await server.client.calls(of: "sqlite", eventRead, code: "CANCELLED")
                    return count > before ? count : nil
                }
            } catch is Unexpected {}
        }
        #expect(givenUp >= 3)
        try await server.stop()
    }
}
