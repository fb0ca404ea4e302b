// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

/// The read of the event log that a realtime stream waits with.
let eventRead = "theatre.events.v1.Log/Read"

/// Realtime streams against the real process.
@Suite(.serialized) struct EventStreamTests {
    @Test(arguments: StorageEngine.allCases)
    func aStreamWhoseClientGoesAwayLetsItsReadGo(_ engine: StorageEngine) async throws {
        let (deployment, environment) = try await engine.deployment()
        let server = try await ServerProcess.start(deployment.root, environment: environment)
        let person = try await Account.new(on: server)
        try await expectReadsGivenUp(3, person, storage: engine.rawValue)
        try await server.stop()
    }
}

/// Follows a person's events and goes away, that many times: each time one read of the log is given up.
func expectReadsGivenUp(_ times: Int, _ person: Account, storage: String = "sqlite") async throws {
    let before = try await person.client.calls(of: storage, eventRead, code: "CANCELLED")
    for count in 1...times {
        try await person.client.follow("user:\(person.id)") { $0.contains("started") }
        // The read itself would wait ten seconds for an event, and end as OK.
        try await eventually("read \(count) is given up", seconds: 60) {
            try await person.client.calls(of: storage, eventRead, code: "CANCELLED") >= before + count ? true : nil
        }
    }
}
