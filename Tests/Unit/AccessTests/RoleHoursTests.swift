// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts

@testable import Access

@Suite struct RoleHoursTests {
    private func read(_ days: [String], _ from: String, _ until: String, _ zone: String = "") -> RoleHours? {
        RoleHours(
            .with {
                $0.days = days
                $0.from = from
                $0.until = until
                $0.timeZone = zone
            })
    }

    private func instant(_ text: String) throws -> Int64 {
        Int64(try Date.ISO8601FormatStyle().parse(text).timeIntervalSince1970) * 1000
    }

    @Test(arguments: [
        // 2026-11-23 is a Monday.
        ("2026-11-23T08:00:00Z", "2026-11-23T18:00:00Z"), ("2026-11-23T17:59:59Z", "2026-11-23T18:00:00Z"),
        ("2026-11-23T18:00:00Z", nil), ("2026-11-23T07:59:59Z", nil), ("2026-11-22T12:00:00Z", nil),
        ("1969-12-29T09:00:00Z", "1969-12-29T18:00:00Z"),
    ])
    func aWorkingDayBeginsAndEnds(_ now: String, _ end: String?) throws {
        let hours = try #require(read(["mon", "tue"], "08:00", "18:00"))
        #expect(hours.end(at: try instant(now)) == (try end.map(instant)))
    }

    @Test func aNightBelongsToTheDayOnWhichItBegins() throws {
        let hours = try #require(read(["fri"], "22:00", "06:00"))
        #expect(hours.end(at: try instant("2026-11-27T23:00:00Z")) == (try instant("2026-11-28T06:00:00Z")))
        #expect(hours.end(at: try instant("2026-11-28T05:59:00Z")) == (try instant("2026-11-28T06:00:00Z")))
        #expect(hours.end(at: try instant("2026-11-28T23:00:00Z")) == nil)
        #expect(hours.end(at: try instant("2026-11-27T05:00:00Z")) == nil)
    }

    @Test func hoursAreLocalAlsoWhereTheClockChanges() throws {
        let shanghai = try #require(read([], "08:00", "18:00", "Asia/Shanghai"))
        #expect(shanghai.end(at: try instant("2026-11-23T00:00:00Z")) == (try instant("2026-11-23T10:00:00Z")))
        #expect(shanghai.end(at: try instant("2026-11-23T10:00:00Z")) == nil)
        // On this night in Berlin three o'clock comes twice: the whole night has 25 hours.
        let berlin = try #require(read(["sun"], "00:00", "24:00", "Europe/Berlin"))
        #expect(berlin.end(at: try instant("2026-10-25T12:00:00Z")) == (try instant("2026-10-25T23:00:00Z")))
        #expect(berlin.end(at: try instant("2026-10-24T22:00:00Z")) == (try instant("2026-10-25T23:00:00Z")))
        #expect(berlin.end(at: try instant("2026-10-24T21:59:59Z")) == nil)
    }

    @Test(arguments: [
        (["mo"], "08:00", "18:00", ""), ([], "8:00", "18:00", ""), ([], "08:60", "18:00", ""),
        ([], "24:00", "18:00", ""), ([], "08:00", "24:01", ""), ([], "08:00", "18:00", "Mars/Olympus"),
        ([], "08:00", "18:00", "../etc/passwd"), ([], "", "", ""),
    ])
    func whatAreNoHoursIsRefused(_ days: [String], _ from: String, _ until: String, _ zone: String) {
        #expect(read(days, from, until, zone) == nil)
    }
}
