// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import GRPCCore
import Glibc
import Runtime
import Staging
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreManifest

@testable import Remote

/// Either end of a session against another that keeps to no rule, by seeds.
@Suite(.serialized) struct HostileTests {
    /// Relay's needs go to the one good instance.
    private final class ToGood: Routing {
        let port: InstancePort?
        init(_ ports: [String: InstancePort]) { port = ports["good"] }
        func resolve(_ query: borrowing RouteQuery) -> Resolution {
            guard let port, let index = port.operation(named: Stage.handle) else {
                return .unavailable(CallError(.unavailable, "route.unrouted", "There is none."))
            }
            return .single(RouteCandidate(port: port, operation: index, profile: ""))
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func aHostOutlivesAServerThatSaysAnything(_ seed: UInt64) throws {
        try Stage.withFolder { folder in
            let server = HostileServer(path: "\(folder)/socket", seed: seed)
            defer { server.stop() }
            let stage = try Stage()
            defer { stage.stop() }
            var plan = try Stage.plan("Relay", "relay", at: "unix:\(folder)/socket")
            plan.isCritical = false
            plan.calls = [
                PortCall(
                    "relay.next/Handle", .feature("relay.next", operation: Stage.handle, fallback: false),
                    OperationTraits())
            ]
            let routing: @Sendable ([String: InstancePort]) -> any Routing = { ToGood($0) }
            try stage.start([plan, try Stage.plan("Good", "good", .inproc)], routing: routing)
            let served = try stage.call("good").text
            #expect(!served.isEmpty)
            // Each call ends, whatever becomes of it, and whoever lives beside notices nothing.
            for round in 0..<60 {
                do { _ = try stage.call("relay", Stage.handle, [], seconds: 1) } catch let error as CallError {
                    #expect(error.code == .unavailable, "\(error)")
                }
                if round % 10 == 0 { #expect(try stage.call("good").text == served) }
            }
            #expect(server.counts.frames > 100, "\(server.counts)")
            server.becomeHonest()
            let isBack = try stage.eventually { () -> Bool? in
                guard stage.status("relay")?.state == .ready else { return nil }
                do { return try stage.call("relay", Stage.handle, [], seconds: 5).error == nil ? true : nil } catch {
                    return nil
                }
            }
            #expect(isBack == true, "\(String(describing: stage.status("relay")))")
            #expect(try stage.call("good").text == served)
        }
    }

    private func withParrot(_ body: @escaping @Sendable (HostileHost, PluginFile) async throws -> Void) async throws {
        var name = Array("/tmp/theatre-hostile-XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&name).map { String(cString: $0) })
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try PluginProcess.serve(
            "Parrot", ["--listen", "unix:\(folder)/socket", "--plaintext", "--state", "\(folder)/state"])
        defer { server.end() }
        let file = try PluginFile(name: "Parrot", path: "\(Stage.folder)/libParrot.so")
        let host = try HostileHost(path: "\(folder)/socket")
        try await host.connected { try await body(host, file) }
        // It serves an honest host as if nothing had been.
        let stage = try Stage()
        try stage.start([try Stage.plan("Parrot", "parrot", at: server.address)])
        let send: [UInt8] = try NotificationSendRequest.with { $0.body = "hello" }.serializedBytes()
        #expect(try stage.call("parrot", "theatre.notification.v1.Channel/Send", send).error == nil)
        stage.stop()
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/up"))
        #expect(server.end(SIGTERM) == 0, "it ends by itself")
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func aServerOutlivesAHostThatSaysAnything(_ seed: UInt64) async throws {
        try await withParrot { host, file in
            var frames = HostileFrames(seed: seed)
            let send = method("theatre.notification.v1.Channel", "Send")
            for _ in 0..<60 {
                var session: [[UInt8]] = []
                repeat {
                    let frame = frames.fromHost("Parrot", file.manifest.version, file.manifestDigest)
                    session.append(frames.isTurn(oneIn: 12) ? frames.broken(frame) : frame)
                } while !frames.isTurn(oneIn: 12)
                let end = try await host.session(session)
                #expect(end.status != nil, "it is told that its session ended")
                var metadata = Metadata()
                if !frames.isTurn(oneIn: 5) { metadata.addBinary(frames.header(), forKey: CallMetadata.header) }
                metadata.addString(frames.timeout(), forKey: CallMetadata.timeout)
                let messages = frames.isTurn(oneIn: 5) ? [] : [frames.payload()]
                let answer = try await host.call(send, metadata, messages)
                #expect(answer.status != nil && answer.status?.code != .ok, "no session is open")
            }
        }
    }

    @Test func nobodyTakesASessionThatIsAnothers() async throws {
        try await withParrot { host, file in
            let create = HostileSession.create("mine", of: file)
            var metadata = Metadata()
            metadata.addBinary(HostileSession.header, forKey: CallMetadata.header)
            metadata.addString("30S", forKey: CallMetadata.timeout)
            let message: [UInt8] = try NotificationSendRequest.with { $0.body = "hello" }.serializedBytes()
            let send = method("theatre.notification.v1.Channel", "Send")
            try await host.instance(create) { [metadata] answers in
                #expect(answers.count == 2 && answers.allSatisfy { !$0.done.hasError })
                #expect(try await host.call(send, metadata, [message]).status?.code == .ok)
                let reason = try await host.instance(create) { $0.first?.done.error.reason }
                #expect(reason == "remote.session_taken")
                #expect(try await host.call(send, metadata, [message]).status?.code == .ok)
            }
        }
    }

    @Test func aHostThatDoesNotWaitForAnswersIsLeft() async throws {
        try await withParrot { host, _ in
            let step = RemoteHostFrame.with { $0.step = .activate }.wireBytes
            let end = try await host.session(Array(repeating: step, count: 5000))
            #expect(end.status != nil)
            #expect(end.frames.allSatisfy { $0.done.error.reason == "remote.not_created" })
        }
    }

    @Test func whatWaitsForAServerThatDoesNotReadIsBounded() {
        let queue = FrameQueue()
        let frame = RemoteHostFrame.with { $0.reply = .with { $0.payload = Data(count: 1 << 20) } }
        var taken = 0
        while queue.put(frame), taken < 1000 { taken += 1 }
        #expect(taken > 0 && taken <= FrameQueue.limit >> 20)
        #expect(!queue.put(RemoteHostFrame()) || taken > 0)
    }
}
