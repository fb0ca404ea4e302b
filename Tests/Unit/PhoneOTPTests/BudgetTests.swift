// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import OneTimeCodes
@testable import PhoneOTP

/// How many codes are sent, to whom, and for how much.
struct BudgetTests {
    private func number(_ index: Int) -> String { "+86138001\(10000 + index)" }

    @Test func oneNumberWaitsAMinuteAndHasTenADay() async throws {
        let phone = try await EmulatedTelephone()
        _ = try await phone.start(number(1))
        let early = await phone.failure(number(1))
        #expect(early?.reason == "auth.throttled" && early?.retry == .after(milliseconds: 60_000))
        var sent = 1
        for _ in 0..<30 {
            phone.host.advance(milliseconds: 720_001)
            if await phone.failure(number(1)) == nil { sent += 1 }
        }
        // Six hours: five an hour would be more than the ten of a day.
        #expect(sent == 10)
        phone.host.advance(milliseconds: 86_400_000)
        #expect(await phone.failure(number(1)) == nil)
    }

    @Test func oneDeviceHasTenAnHourWhateverNumbersItNames() async throws {
        let phone = try await EmulatedTelephone()
        for index in 0..<10 { _ = try await phone.start(number(index), device: "a") }
        #expect(await phone.failure(number(10), device: "a")?.reason == "auth.throttled")
        #expect(await phone.failure(number(10), device: "b") == nil)
    }

    @Test func oneNetworkIsCountedOverAllTenants() async throws {
        let phone = try await EmulatedTelephone(#", "network_per_hour": 4"#)
        for index in 0..<4 {
            _ = try await phone.start(number(index), address: "192.0.2.\(index)", tenant: "t\(index % 2)")
        }
        let error = await phone.failure(number(4), address: "192.0.2.200", tenant: "t9")
        #expect(error?.reason == "auth.throttled")
        #expect(await phone.failure(number(4), address: "192.0.3.1") == nil)
        for index in 0..<4 { _ = try await phone.start(number(10 + index), address: "2001:db8:1:\(index)::1") }
        #expect(await phone.failure(number(20), address: "2001:db8:1:ffff::9")?.reason == "auth.throttled")
        #expect(await phone.failure(number(20), address: "2001:db8:2::9") == nil)
    }

    /// What a caller says of its address does not count beside what the host saw.
    @Test func theNetworkIsTheOneThatTheHostSaw() async throws {
        let phone = try await EmulatedTelephone(#", "network_per_hour": 4"#)
        for index in 0..<4 {
            _ = try await phone.start(
                number(index), address: "192.0.\(index).1", network: "203.0.113.0/24", tenant: "t\(index % 2)")
        }
        let error = await phone.failure(number(4), address: "192.0.9.1", network: "203.0.113.0/24", tenant: "t9")
        #expect(error?.reason == "auth.throttled")
        #expect(await phone.failure(number(4), network: "203.0.114.0/24") == nil)
        // One network is one budget, whichever of the two named it.
        #expect(await phone.failure(number(5), address: "203.0.113.9")?.reason == "auth.throttled")
        #expect(await phone.failure(number(5), address: "no address") == nil)
    }

    @Test func aClassOfCountriesHasItsOwnNumberAndPrice() async throws {
        let phone = try await EmulatedTelephone()
        for index in 0..<3 { _ = try await phone.start("+8525123000\(index)") }
        #expect(await phone.failure("+85251230009")?.reason == "auth.throttled")
        // The longest prefix counts: another class, and another country goes on.
        #expect(await phone.failure("+85291230000") == nil)
        #expect(await phone.failure(number(1)) == nil)
        let unserved = await phone.failure("+4915112345678")
        #expect(unserved?.reason == "auth.unserved" && unserved?.detail == "/identifier")
    }

    @Test func allTogetherSpendNoMoreThanTheCapOfAnHour() async throws {
        let phone = try await EmulatedTelephone(#", "spend_per_hour": 1900"#)
        _ = try await phone.start("+85291230000")
        for index in 0..<2 { _ = try await phone.start("+8525123000\(index)", tenant: "t\(index)") }
        // 1800 are gone: a cheap code fits twice, a dear one does not.
        #expect(await phone.failure("+85251230002")?.reason == "auth.throttled")
        #expect(await phone.failure(number(1)) == nil)
        #expect(await phone.failure(number(2)) == nil)
        #expect(await phone.failure(number(3), tenant: "t9")?.reason == "auth.throttled")
        #expect(phone.sent.requests.count == 5)
        phone.host.advance(milliseconds: 3_600_000)
        #expect(await phone.failure(number(3)) == nil)
    }

    @Test func manyAtOnceDoNotPassABudget() async throws {
        let phone = try await EmulatedTelephone(#", "network_per_hour": 5"#)
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<20 {
                group.addTask { _ = await phone.failure(number(index), address: "192.0.2.1") }
            }
        }
        #expect(phone.sent.requests.count == 5)
    }
}
