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
        try await expectReadsGivenUp(3, person)
        try await server.stop()
    }
}

/// Follows a person's events and goes away until that many reads of the log were given up for it.
func expectReadsGivenUp(_ times: Int, _ person: Account) async throws {
    var givenUp = 0
    // A client that goes between two reads leaves none to be given up, so some streams may not count.
    for _ in 0..<times * 3 where givenUp < times {
        try await person.client.follow("user:\(person.id)") { $0.contains("started") }
        let before = givenUp
        do {
            // The read itself would wait ten seconds for an event, and end as OK.
            givenUp = try await eventually("a read is given up", seconds: 5) {
                let count = try await person.client.calls(of: "sqlite", eventRead, code: "CANCELLED")
                return count > before ? count : nil
            }
        } catch is Unexpected {}
    }
    #expect(givenUp >= times)
}
