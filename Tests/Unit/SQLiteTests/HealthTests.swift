// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CPowerCut
import FoundationEssentials
import Testing
import TheatreContracts
import TheatreStorage

@testable import SQLite

/// The file layer is the process's, so its tests run one after another.
extension PowerCutTests {
    @Test(arguments: [
        (POWER_CUT_DISK_FULL, "sql.full"), (POWER_CUT_IO_ERROR, "sql.io"), (POWER_CUT_NO_SYNC, "sql.io"),
    ])
    func aDiskThatTakesNoWritesIsSaidUntilItTakesOne(_ fault: power_cut_fault, _ reason: String) async throws {
        #expect(power_cut_install() == 0)
        let fixture = try EngineFixture()
        power_cut_remove()
        let engine = fixture.engine
        let host = try fixture.scope("host")
        try await fixture.migrate("a", "CREATE TABLE {t} (tenant TEXT NOT NULL, body TEXT);")
        let insert = "INSERT INTO {t} VALUES (:tenant, 'x')"
        try await fixture.commit("a", insert)
        #expect(try await engine.status(for: host).writable)

        power_cut_set_fault(fixture.folder, fault)
        #expect(await failure { try await fixture.commit("a", insert) }?.reason == reason)
        #expect(engine.health.current?.reason == reason)
        // None of these leaves anything to write, so none tells that it could be.
        try await engine.write(for: host) { _ in }
        try await fixture.commit("a", "UPDATE {t} SET body = body")
        try await fixture.commit("a", "DELETE FROM {t} WHERE body = 'y'")
        _ = await failure { try await fixture.commit("a", "INSERT INTO {t} VALUES (NULL, 'x')") }
        #expect(engine.health.current?.reason == reason)
        for _ in 0..<3 {
            let status = try await engine.status(for: host)
            #expect(!status.writable && status.reason.hasPrefix(reason))
        }

        power_cut_set_fault(fixture.folder, POWER_CUT_SOUND)
        #expect(try await engine.status(for: host).writable, "the look itself tries")
        try await fixture.commit("a", insert)
        #expect(engine.health.current == nil)
        await engine.closeAndWait()
    }
}
