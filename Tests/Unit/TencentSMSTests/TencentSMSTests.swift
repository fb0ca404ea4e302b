// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import TencentSMS

/// The plugin against the emulated API.
struct TencentSMSTests {
    @Test(arguments: NotificationSuite.cases) func theSuiteHolds(_ rule: SuiteCase<NotificationSubject>) async throws {
        let sms = try await EmulatedTencent()
        let subject = NotificationSubject(
            client: sms.client, address: "+8613800138000", now: { sms.host.now },
            arrived: { sms.emulator.messages.count }
        ) { disturbance in
            switch disturbance {
            case .answerLost: sms.emulator.script(.cut(taken: true))
            case .unreachable: sms.emulator.script(.cut(taken: false))
            case .refused: sms.emulator.script(.code("number:FailedOperation.PhoneNumberInBlacklist"))
            case .throttled: sms.emulator.script(.code("RequestLimitExceeded"))
            }
            return true
        }
        try await rule.run(subject)
    }

    @Test func aCodeArrivesInItsTemplate() async throws {
        let sms = try await EmulatedTencent()
        let delivery = try await sms.send()
        #expect(delivery.providerReference == "serial-1" && delivery.at == sms.host.now)
        #expect(
            sms.emulator.messages == [
                EmulatedSMS(
                    number: "+8613800138000", template: "449739", values: ["0": "123456", "1": "5"], reference: "m1")
            ])
        #expect(sms.host.violations.isEmpty)
    }

    @Test func aWrongSecretIsAFaultOfTheConfiguration() async throws {
        let sms = try await EmulatedTencent(given: "another-key-of-thirty-2-letters!")
        let error = await #expect(throws: PluginError.self) { try await sms.send() }
        #expect(error?.reason == "notification.misconfigured")
        #expect(sms.emulator.messages.isEmpty)
    }

    @Test(arguments: [
        ("number:LimitExceeded.PhoneNumberThirtySecondLimit", "notification.throttled"),
        ("number:LimitExceeded.PhoneNumberDailyLimit", "notification.throttled"),
        ("number:InvalidParameterValue.IncorrectPhoneNumber", "notification.address_dead"),
        ("number:FailedOperation.TemplateIncorrectOrUnapproved", "notification.rejected"),
        ("number:FailedOperation.InsufficientBalanceInSmsPackage", "notification.misconfigured"),
        ("AuthFailure.SignatureFailure", "notification.misconfigured"),
        ("UnauthorizedOperation.SmsSdkAppIdVerifyFail", "notification.misconfigured"),
        ("RequestLimitExceeded", "notification.throttled"), ("InternalError.OtherError", "notification.unconfirmed"),
    ])
    func refusalsAreClassed(_ code: String, _ reason: String) async throws {
        let sms = try await EmulatedTencent()
        sms.emulator.script(.code(code))
        let error = await #expect(throws: PluginError.self) { try await sms.send() }
        #expect(error?.reason == reason)
        #expect(sms.emulator.requests == 1)
    }

    @Test func whatMayHaveBeenSentIsNeverRepeated() async throws {
        let sms = try await EmulatedTencent()
        for fault in [
            SMSFault.cut(taken: true), .late(milliseconds: 20_000), .status(502, "<html>"),
            .status(503, #"{"Response":{"Error":{"Code":"ServiceUnavailable"}}}"#),
            .status(500, #"{"Response":{"SendStatusSet":[{"Code":"Ok","SerialNo":"1"}]}}"#),
        ] {
            sms.emulator.script(fault)
            let error = await #expect(throws: PluginError.self) { try await sms.send() }
            #expect(error?.effect == .unknown && error?.retry == .never)
        }
        #expect(sms.emulator.requests == 5)
    }

    @Test func whatCannotBeSentIsRefusedWithoutAsking() async throws {
        let sms = try await EmulatedTencent()
        let address = await #expect(throws: PluginError.self) { try await sms.send(to: "13800138000") }
        #expect(address?.reason == "notification.bad_address")
        let category = await #expect(throws: PluginError.self) { try await sms.send(category: "draft.finished") }
        #expect(category?.reason == "notification.rejected" && category?.detail == "/category")
        let missing = await #expect(throws: PluginError.self) { try await sms.send(data: #"{"code":"1"}"#) }
        #expect(missing?.reason == "notification.missing" && missing?.detail == "/data")
        #expect(sms.emulator.requests == 0)
    }
}
