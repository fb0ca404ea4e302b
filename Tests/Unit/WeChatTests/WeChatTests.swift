// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import WeChat

struct WeChatTests {
    @Test(arguments: OAuthSuite.cases) func theSuiteHolds(_ rule: SuiteCase<OAuthSubject>) async throws {
        try await rule.run(EmulatedWeChat().subject)
    }

    @Test(arguments: OAuthSuite.cases) func theSuiteHoldsForOfficialAccounts(
        _ rule: SuiteCase<OAuthSubject>
    ) async throws {
        try await rule.run(EmulatedWeChat(.officialAccount, named: "official_account", hasUnion: false).subject)
    }

    @Test func aPersonIsTheUnionWhereThereIsOne() async throws {
        let wechat = try await EmulatedWeChat()
        let answer = try await wechat.signIn()
        #expect(answer.subject == "u.u-li")
        #expect(answer.claims == ["openid": "o-li", "app_id": "wx4f4bc4dec97d474b"])
        let alone = try await EmulatedWeChat(hasUnion: false)
        #expect(try await alone.signIn().subject == "o.wx4f4bc4dec97d474b.o-li")
        #expect(wechat.host.violations.isEmpty)
    }

    @Test func aProfileIsAskedForWhereTheScopeAllowsIt() async throws {
        let wechat = try await EmulatedWeChat(settings: #", "profile": true"#)
        let answer = try await wechat.signIn()
        #expect(answer.claims["nickname"] == "昵称 li" && answer.claims["picture"] == "https://thirdwx.qlogo.cn/li")
        let base = try await EmulatedWeChat(
            .officialAccount, named: "official_account", settings: #", "profile": true"#)
        #expect(try await base.signIn().claims["nickname"] == nil)
        #expect(base.emulator.requests == 1)
    }

    @Test(arguments: [(WeChatEmulator.Kind.app, "app"), (.miniProgram, "mini_program")])
    func aClientOnTheDeviceBringsItsCode(_ kind: WeChatEmulator.Kind, _ name: String) async throws {
        let wechat = try await EmulatedWeChat(kind, named: name)
        let code = wechat.emulator.code(for: "li")
        let answer = try await wechat.signIn(code: code)
        #expect(answer.subject == "u.u-li")
        // The key of a mini program's session stays here.
        #expect(!"\(answer)".contains("tiihtNczf5v6AKRyjwEUhQ"))
        for other in [code, "made-up", String(repeating: "x", count: 300)] {
            let error = await #expect(throws: PluginError.self) { try await wechat.signIn(code: other) }
            #expect(error?.reason == "auth.refused")
        }
        let late = wechat.emulator.code(for: "li")
        wechat.host.advance(milliseconds: 301_000)
        await #expect(throws: PluginError.self) { try await wechat.signIn(code: late) }
    }

    @Test func theKindsOfClientsDoNotMix() async throws {
        let mini = try await EmulatedWeChat(.miniProgram, named: "mini_program")
        let redirect = await #expect(throws: PluginError.self) { try await mini.signIn("li") }
        #expect(redirect?.reason == "auth.bad_redirect")
        let site = try await EmulatedWeChat()
        let code = await #expect(throws: PluginError.self) { try await site.signIn(code: "0a1-1") }
        #expect(code?.reason == "auth.bad_redirect")
    }

    @Test(arguments: [
        (40029, "auth.refused"), (40163, "auth.refused"), (40226, "auth.refused"), (-1, "auth.unreachable"),
        (45011, "auth.throttled"), (40125, "auth.misconfigured"), (40164, "auth.misconfigured"),
        (50001, "auth.misconfigured"),
    ])
    func errorsAreClassedByNumber(_ number: Int, _ reason: String) async throws {
        let wechat = try await EmulatedWeChat()
        wechat.emulator.script(.errcode(number))
        let error = await #expect(throws: PluginError.self) { try await wechat.signIn() }
        #expect(error?.reason == reason)
        // A code may be used up: it is never sent again.
        #expect(wechat.emulator.requests == 1)
    }

    @Test func whatIsNoAnswerIsNoRefusal() async throws {
        let wechat = try await EmulatedWeChat()
        for fault in [WeChatEmulator.Fault.cut, .status(502, ""), .status(200, "<html>")] {
            wechat.emulator.script(fault)
            let error = await #expect(throws: PluginError.self) { try await wechat.signIn() }
            #expect(error?.reason == "auth.unreachable")
        }
    }

    @Test func aVisitorWithAMadeUpProfileIsNobody() async throws {
        let wechat = try await EmulatedWeChat(
            .officialAccount, named: "official_account", settings: #", "scope": "snsapi_userinfo""#)
        wechat.emulator.script(.snapshot)
        let error = await #expect(throws: PluginError.self) { try await wechat.signIn() }
        #expect(error?.reason == "auth.refused")
    }

    @Test func aWrongSecretIsAFaultOfTheConfiguration() async throws {
        let wechat = try await EmulatedWeChat(given: "another")
        let error = await #expect(throws: PluginError.self) { try await wechat.signIn() }
        #expect(error?.reason == "auth.misconfigured" && error?.message.contains("another") == false)
    }
}
