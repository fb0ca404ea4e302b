// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import EmulatedHost
import Emulators
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import AliyunSMS

/// The plugin against the emulated API.
struct AliyunSMSTests {
    @Test(arguments: NotificationSuite.cases) func theSuiteHolds(_ rule: SuiteCase<NotificationSubject>) async throws {
        let sms = try await EmulatedAliyun()
        let subject = NotificationSubject(
            client: sms.client, address: "+8613800138000", now: { sms.host.now },
            arrived: { sms.emulator.messages.count }
        ) { disturbance in
            switch disturbance {
            case .answerLost: sms.emulator.script(.cut(taken: true))
            case .unreachable: sms.emulator.script(.cut(taken: false))
            case .refused: sms.emulator.script(.code("isv.MOBILE_NUMBER_ILLEGAL"))
            case .throttled: sms.emulator.script(.code("isv.BUSINESS_LIMIT_CONTROL"))
            }
            return true
        }
        try await rule.run(subject)
    }

    @Test func aCodeArrivesInItsTemplate() async throws {
        let sms = try await EmulatedAliyun()
        let delivery = try await sms.send()
        #expect(delivery.providerReference == "biz-1")
        #expect(
            sms.emulator.messages == [
                EmulatedSMS(
                    number: "13800138000", template: "SMS_1", values: ["code": "123456", "minutes": "5"],
                    reference: "m1")
            ])
        _ = try await sms.send(to: "+85251234567")
        #expect(sms.emulator.messages.last?.number == "85251234567")
        #expect(sms.host.violations.isEmpty)
    }

    @Test func aWrongSecretIsAFaultOfTheConfiguration() async throws {
        let sms = try await EmulatedAliyun(given: "another-secret-of-thirty-chars")
        let error = await #expect(throws: PluginError.self) { try await sms.send() }
        #expect(error?.reason == "notification.misconfigured")
        #expect(sms.emulator.messages.isEmpty)
    }

    @Test(arguments: [
        ("isv.BUSINESS_LIMIT_CONTROL", "notification.throttled"), ("isv.DAY_LIMIT_CONTROL", "notification.throttled"),
        ("Throttling.User", "notification.throttled"), ("isv.MOBILE_NUMBER_ILLEGAL", "notification.address_dead"),
        ("isv.SMS_TEMPLATE_ILLEGAL", "notification.rejected"), ("isv.AMOUNT_NOT_ENOUGH", "notification.misconfigured"),
        ("isp.RAM_PERMISSION_DENY", "notification.misconfigured"), ("isp.SYSTEM_ERROR", "notification.unconfirmed"),
        ("isv.UNHEARD_OF", "notification.rejected"),
    ])
    func refusalsAreClassed(_ code: String, _ reason: String) async throws {
        let sms = try await EmulatedAliyun()
        sms.emulator.script(.code(code))
        let error = await #expect(throws: PluginError.self) { try await sms.send() }
        #expect(error?.reason == reason)
        #expect(sms.emulator.requests == 1)
    }

    @Test func whatMayHaveBeenSentIsNeverRepeated() async throws {
        let sms = try await EmulatedAliyun()
        for fault in [
            SMSFault.cut(taken: true), .late(milliseconds: 20_000), .status(502, "<html>"),
            .status(503, #"{"Code":"ServiceUnavailable"}"#), .status(500, #"{"Code":"OK"}"#),
        ] {
            sms.emulator.script(fault)
            let error = await #expect(throws: PluginError.self) { try await sms.send() }
            #expect(error?.effect == .unknown && error?.retry == .never)
        }
        #expect(sms.emulator.requests == 5)
    }

    @Test func whatCannotBeSentIsRefusedWithoutAsking() async throws {
        let sms = try await EmulatedAliyun()
        let address = await #expect(throws: PluginError.self) { try await sms.send(to: "everyone") }
        #expect(address?.reason == "notification.bad_address")
        let category = await #expect(throws: PluginError.self) { try await sms.send(category: "draft.finished") }
        #expect(category?.reason == "notification.rejected" && category?.detail == "/category")
        for data in ["", "[]", "{}", #"{"code":"1"}"#] {
            let missing = await #expect(throws: PluginError.self) { try await sms.send(data: data) }
            #expect(missing?.reason == "notification.missing" && missing?.detail == "/data")
        }
        #expect(sms.emulator.requests == 0)
    }

    @Test func clocksThatDifferTooMuchAreRefusedThere() async throws {
        let sms = try await EmulatedAliyun()
        let emulator = AliyunSMSEmulator(
            accessKeyID: "LTAItest", secret: EmulatedAliyun.secret, signName: "汴京剧场", templates: [:],
            now: { sms.host.now + 1_000_000 })
        sms.host.emulate(["https://dysmsapi.aliyuncs.com"]) { emulator.respond(to: $0) }
        let error = await #expect(throws: PluginError.self) { try await sms.send() }
        #expect(error?.reason == "notification.misconfigured")
    }
}
