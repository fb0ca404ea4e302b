// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Registry
import Runtime
import Staging
import SwiftProtobuf
import Testing
import TheatreContracts

/// What a server says of its health is heard, from one in another language.
@Suite(.serialized) struct ForeignHealthTests {
    private static let complete = "theatre.content.v1.Chat/Complete"

    private func chat(_ text: String) throws -> [UInt8] {
        try ContentChatRequest.with { $0.messages = [.with { $0.text = text }] }.serializedBytes()
    }

    private func plan(_ server: ForeignServer, isCritical: Bool = true) throws -> InstancePlan {
        var plan = try server.plan(isCritical: isCritical)
        plan.remote?.probeSeconds = 1
        return plan
    }

    /// By the stream of its changes, and where it has none by being asked again and again.
    @Test(arguments: [[], ["--no-watch"]]) func aServerThatDoesNotServeGetsNoCallsUntilItDoes(_ options: [String])
        throws
    {
        try Stage.withFolder { folder in
            let server = try ForeignServer(in: folder, options)
            defer { server.end() }
            let stage = try Stage()
            defer { stage.stop() }
            try stage.start([try plan(server)])
            #expect(try stage.call("parrot", Self.complete, chat("to be")).error == nil)
            for _ in 0..<2 {
                server.say(isServing: false)
                let reason = try stage.eventually { stage.status("parrot")?.reason }
                #expect(reason?.contains("remote.not_serving") == true, "\(reason ?? "it is not said")")
                let refused = try stage.call("parrot", Self.complete, chat("to be"))
                #expect(refused.error?.code == .unavailable)
                #expect(refused.error?.reason == "remote.not_serving")
                #expect(refused.error?.effect == CallError.Effect.none && refused.error?.retry == .safe)
                #expect(stage.status("parrot")?.facts["health"]?.contains("does not serve") == true)
                server.say(isServing: true)
                let isBack = try stage.eventually { stage.status("parrot")?.state == .ready ? true : nil }
                #expect(isBack == true, "\(String(describing: stage.status("parrot")))")
                let answer = try stage.call("parrot", Self.complete, chat("to be"))
                #expect(try ContentChatResponse(serializedBytes: answer.payload).text == "be to")
            }
            #expect(stage.status("parrot")?.generation == 1, "nothing was started anew")
        }
    }

    @Test func aCallUnderWayEndsByItself() throws {
        try Stage.withFolder { folder in
            let server = try ForeignServer(in: folder)
            defer { server.end() }
            let stage = try Stage()
            defer { stage.stop() }
            try stage.start([try plan(server)])
            let target = try stage.dispatcher.target(instance: "parrot", operation: Self.complete)
            let sink = WaitingSink()
            try chat("until later").withUnsafeBytes {
                _ = stage.dispatcher.start(OutgoingCall(payload: $0, context: .system), on: target, sink: sink)
            }
            server.say(isServing: false)
            let answer = sink.wait()
            #expect(answer.error == nil, "\(String(describing: answer.error))")
            #expect(try ContentChatResponse(serializedBytes: answer.payload).text == "later until")
        }
    }

    @Test func aServerThatDoesNotServeYetIsAwaited() throws {
        try Stage.withFolder { folder in
            let server = try ForeignServer(in: folder, ["--not-serving"])
            defer { server.end() }
            let stage = try Stage()
            defer { stage.stop() }
            try stage.start([try plan(server, isCritical: false)])
            let reason = stage.status("parrot")?.reason
            #expect(reason?.contains("it says that it does not serve") == true, "\(reason ?? "it serves")")
            server.say(isServing: true)
            #expect(try stage.eventually { stage.status("parrot")?.state == .ready ? true : nil } == true)
            #expect(try stage.call("parrot", Self.complete, chat("to be")).error == nil)
        }
    }
}
