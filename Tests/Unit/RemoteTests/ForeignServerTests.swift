// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Registry
import Runtime
import Staging
import SwiftProtobuf
import Testing
import TheatreContracts

/// A plugin in Python, known by its contracts and its certificate alone.
@Suite(.serialized) struct ForeignServerTests {
    private func with(_ body: (ForeignServer, Stage) throws -> Void) throws {
        try Stage.withFolder { folder in
            let server = try ForeignServer(in: folder)
            defer { server.end() }
            let stage = try Stage()
            defer { stage.stop() }
            try stage.start([try server.plan()])
            try body(server, stage)
        }
    }

    private func chat(_ text: String?) throws -> [UInt8] {
        try ContentChatRequest.with { request in
            if let text { request.messages = [.with { $0.text = text }] }
        }.serializedBytes()
    }

    @Test func itSaysWhatTheLibrarySays() throws {
        try with { server, stage in
            let library = try Stage()
            defer { library.stop() }
            try library.start([try Stage.plan("Parrot", "parrot", .inproc)])
            let texts: [String?] = [
                "one two three", "", "戏台 上 的 灯", nil, "refuse", "applied",
                (0..<20_000).map { "word\($0)" }.joined(separator: " "),
            ]
            for text in texts {
                for operation in ["theatre.content.v1.Chat/Complete", "theatre.content.v1.Chat/Stream"] {
                    let here = try library.call("parrot", operation, try chat(text))
                    let there = try stage.call("parrot", operation, try chat(text))
                    #expect(here.error == there.error, "\(operation)")
                    #expect(try same(here.payload, there.payload, as: ContentChatResponse.self))
                    #expect(here.chunks.count == there.chunks.count)
                    for (one, other) in zip(here.chunks, there.chunks) {
                        guard try same(one, other, as: ContentChatPart.self) else {
                            Issue.record("\(operation) differs")
                            break
                        }
                    }
                }
            }
            for body in ["hello", ""] {
                let request: [UInt8] = try NotificationSendRequest.with { $0.body = body }.serializedBytes()
                let here = try library.call("parrot", "theatre.notification.v1.Channel/Send", request)
                let there = try stage.call("parrot", "theatre.notification.v1.Channel/Send", request)
                #expect(here == there)
            }
        }
    }

    private func same<M: Message & Equatable>(_ one: [UInt8], _ other: [UInt8], as type: M.Type) throws -> Bool {
        try M(serializedBytes: one) == M(serializedBytes: other)
    }

    @Test func itHearsOfDeadlinesAndCancellation() throws {
        try with { server, stage in
            let left = try stage.call("parrot", "theatre.content.v1.Chat/Complete", try chat("left"), seconds: 40)
            #expect(try ContentChatResponse(serializedBytes: left.payload).text == "40")
            let late = try stage.call("parrot", "theatre.content.v1.Chat/Complete", try chat("wait"), seconds: 1)
            #expect(late.error?.code == .deadlineExceeded)
            let given = try stage.cancelled("parrot", "theatre.content.v1.Chat/Complete", try chat("wait")) {
                try told(stage, "waiting") == "1"
            }
            #expect(given.error?.code == .cancelled)
            #expect(given.error?.reason == "plugin.cancelled")
            let both = try stage.eventually { try told(stage, "cancelled") == "2" ? true : nil }
            #expect(both == true, "both calls were reset at the server")
        }
    }

    private func told(_ stage: Stage, _ what: String) throws -> String {
        let answer = try stage.call("parrot", "theatre.content.v1.Chat/Complete", try chat(what))
        return try ContentChatResponse(serializedBytes: answer.payload).text
    }

    @Test func aCallThatIsLostIsUnknownAndTheServerComesBack() throws {
        try with { server, stage in
            let send = "theatre.notification.v1.Channel/Send"
            let bare = try stage.call(
                "parrot", send, try NotificationSendRequest.with { $0.body = "bare" }.serializedBytes())
            #expect(bare.error?.reason == "remote.failed")
            #expect(bare.error?.effect == .unknown)
            let lost = try stage.call(
                "parrot", send, try NotificationSendRequest.with { $0.body = "die" }.serializedBytes())
            #expect(lost.error?.code == .unavailable)
            #expect(lost.error?.reason == "remote.lost", "\(String(describing: lost.error))")
            #expect(lost.error?.effect == .unknown)
            #expect(lost.error?.retry == .never)
            let away = try stage.eventually { stage.status("parrot")?.reason }
            #expect(away?.contains("remote.away") == true, "\(away ?? "")")
            #expect(throws: CallError.self) {
                _ = try stage.call("parrot", "theatre.content.v1.Chat/Complete", try chat("hello"))
            }
            try server.start()
            let back = try stage.eventually { stage.status("parrot")?.state == .ready ? true : nil }
            #expect(back == true, "\(String(describing: stage.status("parrot")))")
            let answer = try stage.call("parrot", "theatre.content.v1.Chat/Complete", try chat("hello again"))
            #expect(try ContentChatResponse(serializedBytes: answer.payload).text == "again hello")
        }
    }

    @Test func aServerThatIsNotThereYetIsAwaited() throws {
        try Stage.withFolder { folder in
            let server = try ForeignServer(in: folder)
            let plan = try server.plan(isCritical: false)
            server.end()
            let stage = try Stage()
            defer { stage.stop() }
            try stage.start([plan])
            #expect(stage.status("parrot")?.reason?.contains("remote.away") == true)
            try server.start()
            defer { server.end() }
            #expect(try stage.eventually { stage.status("parrot")?.state == .ready ? true : nil } == true)
            let answer = try stage.call("parrot", "theatre.content.v1.Chat/Complete", try chat("to be"))
            #expect(try ContentChatResponse(serializedBytes: answer.payload).text == "be to")
        }
    }

    @Test func neitherEndTrustsAStranger() throws {
        try Stage.withFolder { folder in
            let server = try ForeignServer(in: folder)
            defer { server.end() }
            for (tls, what) in [
                (server.certificates.tls("stranger"), "a host of another authority"),
                (server.certificates.tls(serverName: "somebody.else"), "a server of another name"),
            ] {
                let stage = try Stage()
                defer { stage.stop() }
                do throws(LoadError) {
                    try stage.start([try Self.plan(server, tls)])
                    Issue.record("\(what) was trusted")
                } catch {
                    #expect(error.code == "remote.away", "\(what): \(error)")
                }
            }
        }
    }

    private static func plan(_ server: ForeignServer, _ tls: InstanceDeclaration.TLS) throws(LoadError) -> InstancePlan
    {
        do { return try server.plan(tls: tls) } catch {
            throw LoadError(plugin: "parrot", code: "test", expected: "a plan", found: "\(error)", fix: "")
        }
    }

    @Test func aServerWithoutSessionsGetsNoConfiguration() throws {
        try Stage.withFolder { folder in
            let server = try ForeignServer(in: folder)
            defer { server.end() }
            var plan = try server.plan()
            plan.isConfigured = true
            let stage = try Stage()
            defer { stage.stop() }
            let error = #expect(throws: LoadError.self) { try stage.start([plan]) }
            #expect(error?.found.contains("remote.no_session") == true)
        }
    }
}
