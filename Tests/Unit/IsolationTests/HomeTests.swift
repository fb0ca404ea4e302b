// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import Testing

/// An unchanged library in a process of its own.
@Suite(.serialized) struct HomeTests {
    @Test func aLibraryServesFromAProcessOfItsOwn() throws {
        let stage = try Stage()
        defer { stage.stop() }
        try stage.start([try Stage.plan("Good", "good")])
        let status = try #require(stage.status("good"))
        #expect(status.state == .ready)
        #expect(status.mode == "isolated")
        for _ in 0..<100 { #expect(try stage.call("good").text == "served") }
        #expect(status.facts["sandbox"]?.isEmpty == false, "\(status.facts)")
    }
}
