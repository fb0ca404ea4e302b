// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SeededRandom
import Testing

@testable import TheatreSchedules

@Suite struct TimeZoneTests {
    static let zones = [
        "Asia/Shanghai", "Asia/Tokyo", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Asia/Gaza", "Europe/Berlin",
        "Europe/London", "Europe/Dublin", "Europe/Moscow", "America/New_York", "America/Los_Angeles",
        "America/Sao_Paulo", "America/St_Johns", "America/Nuuk", "America/Santiago", "America/Caracas",
        "Africa/Casablanca", "Africa/Cairo", "Africa/Monrovia", "Australia/Lord_Howe", "Australia/Sydney",
        "Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati", "Pacific/Easter", "Antarctica/Troll", "Etc/GMT+12",
        "UTC", "EST5EDT",
    ]

    /// Instants from 1900 to 2200, half of them close to a change of the offset.
    @Test(arguments: zones)
    func theOffsetIsTheCLibrarys(_ name: String) throws {
        let zone = try TimeZoneRules(named: name)
        var random = SeededGenerator(seed: name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
        var instants = (0..<300).map { _ in Int64.random(in: -2_208_988_800...7_258_118_400, using: &random) }
        for change in zone.transitions(in: -2_208_988_800...4_102_444_800) {
            instants += [change.instant - 1, change.instant]
            instants.append(change.instant + Int64.random(in: 1...7200, using: &random))
        }
        let expected = try SystemDates.offsets(name, instants)
        try #require(expected.count == instants.count)
        for (instant, offset) in zip(instants, expected) {
            #expect(zone.offset(at: instant) == offset, "\(name) at \(instant)")
        }
    }

    /// Where a local time exists, it stands for an instant that shows it; no earlier one does.
    @Test(arguments: zones)
    func aLocalTimeStandsForItsFirstInstant(_ name: String) throws {
        let zone = try TimeZoneRules(named: name)
        var random = SeededGenerator(seed: 11)
        var locals = (0..<200).map { _ in Int64.random(in: -2_000_000_000...4_000_000_000, using: &random) }
        for change in zone.transitions(in: -1_000_000_000...3_000_000_000) {
            for offset in [change.before, change.after] {
                locals.append(change.instant + Int64(offset) + Int64.random(in: -5000...5000, using: &random))
            }
        }
        for local in locals {
            let instant = zone.instant(ofLocal: local)
            let shown = instant + Int64(zone.offset(at: instant))
            if shown != local {
                // Passed over: the clock stood before it and now stands after it.
                let before = instant - 1 + Int64(zone.offset(at: instant - 1))
                #expect(before < local && shown > local, "\(name) \(local)")
            }
            for offset in [zone.offset(at: instant - 90_000), zone.offset(at: instant + 90_000)] {
                let other = local - Int64(offset)
                if zone.offset(at: other) == offset { #expect(shown == local && instant <= other, "\(name) \(local)") }
            }
        }
    }

    @Test(arguments: [
        "", "CE-1", "CET", "CET25", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,J0,J1", "CET-1CEST,366,1", "<+1", "CET-1CEST,M3.5.0,M10.5.0/168", "CET-1CEST,M3.5.0,M10.5.0x",
    ])
    func aRuleThatIsNoneIsRefused(_ text: String) {
        #expect(throws: TZifError.self) { try PosixRule(parsing: text) }
    }

    @Test(arguments: [
        "Mars/Olympus", "../etc/passwd", "/etc/passwd", "Asia", "Asia/Shanghai/", "Asia//Tokyo", "zone.tab", "a b",
        "Asia/Shanghai\u{0}", "ümlaut",
    ])
    func whatIsNoZoneIsRefused(_ name: String) {
        let error = #expect(throws: ScheduleError.self) { try TimeZoneRules(named: name) }
        #expect(error?.pointer == "/time_zone")
    }

    @Test(arguments: 0..<8)
    func damagedFilesAreSurvived(seed: UInt64) throws {
        let whole = [UInt8](try Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/Europe/Berlin")))
        var random = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random)) }
            if let zone = try? TimeZoneRules(tzif: bytes) { _ = zone.instant(ofLocal: 1_700_000_000) }
        }
    }
}
