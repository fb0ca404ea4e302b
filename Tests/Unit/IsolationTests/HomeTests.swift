// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Runtime
import Staging
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

    @Test func aFloodOfLogLinesIsDroppedAndCounted() throws {
        let stage = try Stage()
        defer { stage.stop() }
        try stage.start([try Stage.plan("Unruly", "unruly")])
        #expect(try stage.ask("unruly", "floods").error == nil)
        let end = Date().addingTimeInterval(10)
        var counts: [Int] = []
        repeat {
            counts = stage.lines.list.compactMap { line in
                guard line.contains("log lines were dropped") else { return nil }
                return line.split(separator: "\"").compactMap { Int($0) }.last
            }
        } while counts.isEmpty && Date() < end
        let kept = stage.lines.list.count { $0 == "unruly 1: water {}" }
        #expect(kept >= 2000 && kept < 12_000, "\(kept)")
        #expect(kept + counts.reduce(0, +) == 20_000, "\(kept) and \(counts)")
    }
}
