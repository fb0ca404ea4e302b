// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import OneTimeCodes
@testable import PhoneOTP

/// Numbers are stored as what stands for them.
struct IdentifierTests {
    private static let number = "+8613800138000"

    private func verify(
        _ phone: EmulatedTelephone, _ start: AuthStartResponse, as identifier: String = number
    ) async throws -> String {
        try await phone.client().verify(
            .with {
                $0.identifier = identifier
                $0.challenge = start.challenge
                $0.secret = phone.sent.codes.last ?? ""
            }
        ).subject
    }

    private func database(_ phone: EmulatedTelephone) -> Database {
        Database(phone.probe, feature: "phoneotp.storage")
    }

    private func texts(_ phone: EmulatedTelephone, _ column: String, of table: String) async throws -> [String] {
        try await database(phone).read("/* tenants: all */ SELECT \(column) AS found FROM \(table) ORDER BY 1")
            .map { try $0.text("found") }
    }

    /// One who was there before, and has a code under way.
    private func waiting(_ phone: EmulatedTelephone) async throws -> (subject: String, start: AuthStartResponse) {
        let subject = try await verify(phone, phone.start(Self.number))
        phone.host.advance(milliseconds: 60_000)
        return (subject, try await phone.start(Self.number))
    }

    @Test func noNumberIsStoredNorADigestThatCouldBeTried() async throws {
        let phone = try await EmulatedTelephone()
        _ = try await verify(phone, phone.start(Self.number, device: "a device", network: "203.0.113.0/24"))
        phone.host.advance(milliseconds: 60_000)
        _ = try await phone.start(Self.number, device: "a device", network: "203.0.113.0/24")
        let codes = try await texts(phone, "identifier", of: "{codes}")
        #expect(codes.count == 1 && codes.allSatisfy { $0.hasPrefix("mac:") })
        #expect(try await texts(phone, "identifier", of: "{people}") == codes)
        let buckets = try await texts(phone, "bucket", of: "{budgets}")
        let kinds = ["class", "day", "device", "hour", "network", "pause", "spend"]
        #expect(buckets.map { String($0.prefix { $0 != " " }) } == kinds)
        #expect(buckets.allSatisfy { $0.contains(" mac:") && !$0.contains("138") && !$0.contains("203.0") })
        #expect(phone.host.violations.isEmpty)
    }

    @Test func rowsFromBeforeAreHiddenAndGoOn() async throws {
        let phone = try await EmulatedTelephone()
        let (subject, start) = try await waiting(phone)
        let hidden = try await texts(phone, "identifier", of: "{people}")
        for table in ["{codes}", "{people}"] {
            try await database(phone).commit {
                $0.run("/* tenants: all */ UPDATE \(table) SET identifier = ?1", expect: 1, Self.number)
            }
        }
        try await phone.install(generation: 2)
        for table in ["{codes}", "{people}"] { #expect(try await texts(phone, "identifier", of: table) == hidden) }
        #expect(try await verify(phone, start) == subject)
    }

    @Test func whoIsThereAlreadyUnderTheIndexStays() async throws {
        let phone = try await EmulatedTelephone()
        let (subject, start) = try await waiting(phone)
        let hidden = try await texts(phone, "identifier", of: "{people}")
        // More than are looked at at once, and one of them twice.
        try await database(phone).commit {
            for index in 0..<450 {
                $0.run(
                    """
                    /* tenants: all */ INSERT INTO {people} (tenant, identifier, subject, created_at)
                    VALUES ('t1', ?1, ?2, 0)
                    """, expect: 1, "+86138001\(37_800 + index)", "tel_\(index)")
            }
        }
        #expect(try await texts(phone, "identifier", of: "{people}").contains(Self.number))
        try await phone.install(generation: 2)
        let people = try await texts(phone, "identifier", of: "{people}")
        #expect(people.count == 450 && people.allSatisfy { $0.hasPrefix("mac:") } && people.contains(hidden[0]))
        #expect(try await verify(phone, start) == subject)
    }

    @Test func aRotationForgetsNobodyAndNoCodeAndNoBudget() async throws {
        let phone = try await EmulatedTelephone()
        let (subject, start) = try await waiting(phone)
        for key in ["codes", "index"] { phone.keys.rotate(key, to: "2") }
        #expect(await phone.failure(Self.number)?.reason == "auth.throttled")
        #expect(try await verify(phone, start) == subject)
        phone.host.advance(milliseconds: 60_000)
        #expect(try await verify(phone, phone.start(Self.number)) == subject)
        #expect(try await texts(phone, "identifier", of: "{people}").count == 1)
    }

    @Test func whatIsRemovedTakesTheCodeUnderWayWithIt() async throws {
        let phone = try await EmulatedTelephone()
        let (subject, start) = try await waiting(phone)
        _ = try await phone.client().remove(.with { $0.subject = subject })
        for table in ["{codes}", "{people}"] { #expect(try await texts(phone, "identifier", of: table).isEmpty) }
        let error = await #expect(throws: PluginError.self) { try await verify(phone, start) }
        #expect(error?.reason == "auth.refused")
    }

    @Test(arguments: ["", "nobody"]) func aGuessNamesWhomItIsOf(_ identifier: String) async throws {
        let phone = try await EmulatedTelephone()
        let start = try await phone.start(Self.number)
        let error = await #expect(throws: PluginError.self) { try await verify(phone, start, as: identifier) }
        #expect(error?.code == .unauthenticated && error?.reason == "auth.refused")
        _ = try await verify(phone, start)
    }
}
