// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Runtime
import Staging
import SwiftProtobuf
import Testing
import TheatreContracts

/// `theatre plugin serve` as hosts see it.
@Suite(.serialized) struct ServedLibraryTests {
    private func send(_ body: String) throws -> [UInt8] {
        try NotificationSendRequest.with { $0.body = body }.serializedBytes()
    }

    @Test func aServerThatStopsIsMissedAndFoundAgain() throws {
        try Stage.withFolder { folder in
            let arguments = ["--listen", "unix:\(folder)/parrot", "--plaintext"]
            let server = try PluginProcess.serve("Parrot", arguments)
            let stage = try Stage()
            defer { stage.stop() }
            try stage.start([try Stage.plan("Parrot", "parrot", at: server.address)])
            let first = stage.status("parrot")
            #expect(first?.facts["endpoint"] == server.address)
            #expect(first?.facts["session"] == "open")
            #expect(try stage.call("parrot", "theatre.notification.v1.Channel/Send", send("hello")).error == nil)
            #expect(server.end(SIGTERM) == 0, "it ends by itself")
            #expect(try stage.eventually { stage.status("parrot")?.reason }?.contains("remote.away") == true)
            let again = try PluginProcess.serve("Parrot", arguments)
            defer { again.end() }
            #expect(try stage.eventually { stage.status("parrot")?.state == .ready ? true : nil } == true)
            #expect(try stage.call("parrot", "theatre.notification.v1.Channel/Send", send("hello")).error == nil)
            #expect(stage.status("parrot")?.generation == (first?.generation ?? 0) + 1)
        }
    }

    @Test func anotherBuildIsRefusedBeforeItServes() throws {
        try Stage.withFolder { folder in
            let server = try PluginProcess.serve("Parrot", ["--listen", "unix:\(folder)/parrot", "--plaintext"])
            defer { server.end() }
            var plan = try Stage.plan("Parrot", "parrot", at: server.address)
            let manifest = String(decoding: plan.file.manifestBytes, as: UTF8.self)
            try Data(manifest.replacing("back to front", with: "sideways").utf8)
                .write(to: URL(filePath: "\(folder)/plugin.json"))
            try Data(plan.file.contracts).write(to: URL(filePath: "\(folder)/contracts.binpb"))
            plan.file = try PluginFile(
                name: "Parrot", manifest: "\(folder)/plugin.json", contracts: "\(folder)/contracts.binpb")
            #expect(plan.file.isServedElsewhere)
            let stage = try Stage()
            defer { stage.stop() }
            let error = #expect(throws: LoadError.self) { try stage.start([plan]) }
            #expect(error?.found.contains("remote.other_manifest") == true, "\(String(describing: error))")
        }
    }

    @Test func aServerOfAnotherPluginIsRefused() throws {
        try Stage.withFolder { folder in
            let server = try PluginProcess.serve("Bianjing", ["--listen", "unix:\(folder)/socket", "--plaintext"])
            defer { server.end() }
            let stage = try Stage()
            defer { stage.stop() }
            let plan = try Stage.plan("Parrot", "parrot", at: server.address)
            let error = #expect(throws: LoadError.self) { try stage.start([plan]) }
            #expect(error?.code == "remote.not_provided", "\(String(describing: error))")
        }
    }

    @Test func aThousandCallsAtOnceAreEachAnswered() throws {
        try Stage.withFolder { folder in
            let server = try PluginProcess.serve("Parrot", ["--listen", "127.0.0.1:0", "--plaintext"])
            defer { server.end() }
            let stage = try Stage()
            defer { stage.stop() }
            var plan = try Stage.plan("Parrot", "parrot", at: server.address)
            plan.limits.maxConcurrency = 2000
            try stage.start([plan])
            let target = try stage.dispatcher.target(
                instance: "parrot", operation: "theatre.content.v1.Chat/Complete")
            let sinks = try (0..<1000).map { number in
                let sink = WaitingSink()
                let request: [UInt8] = try ContentChatRequest.with {
                    $0.messages = [.with { $0.text = "number \(number)" }]
                }.serializedBytes()
                request.withUnsafeBytes {
                    _ = stage.dispatcher.start(OutgoingCall(payload: $0, context: .system), on: target, sink: sink)
                }
                return sink
            }
            for (number, sink) in sinks.enumerated() {
                let answer = sink.wait()
                // The library itself lets 256 in at once.
                guard answer.error?.reason != "instance.busy" else { continue }
                #expect(answer.error == nil)
                #expect(try ContentChatResponse(serializedBytes: answer.payload).text == "\(number) number")
            }
        }
    }
}
