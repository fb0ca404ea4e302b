// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import Staging
import Testing

@Suite struct ClockTests {
    @Test func theHostsClockIsThePlugins() throws {
        let stage = try Stage()
        defer { stage.stop() }
        try stage.start([try Stage.plan("Unruly", "unruly")])
        stage.clock.advance(nanoseconds: 3_600_000_000_000)
        let before = stage.clock.wall() / 1_000_000
        let told = try #require(UInt64(try stage.ask("unruly", "clock").text))
        #expect(told >= before && told <= stage.clock.wall() / 1_000_000 + 1)
    }
}
