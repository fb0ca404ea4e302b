// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import GRPCCore
import Runtime
import Staging
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreManifest

@testable import Remote

/// What a server makes of the time that its caller leaves it.
@Suite(.serialized) struct ServedTimeoutTests {
    private static let send = method("theatre.notification.v1.Channel", "Send")

    /// Calls Parrot's `Send` once for each of `timeouts`, with these in the place of its time-out.
    private func calls(_ timeouts: [[String]]) async throws -> [Heard<[UInt8]>] {
        let folder = FileManager.default.temporaryDirectory.path + "/timeouts-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try PluginProcess.serve("Parrot", ["--listen", "unix:\(folder)/socket", "--plaintext"])
        defer { server.end() }
        let file = try PluginFile(name: "Parrot", path: "\(Stage.folder)/libParrot.so")
        let create = HostileSession.create("parrot", of: file)
        let message: [UInt8] = try NotificationSendRequest.with { $0.body = "hello" }.serializedBytes()
        let host = try HostileHost(path: "\(folder)/socket")
        return try await host.connected {
            try await host.instance(create) { _ in
                var heard: [Heard<[UInt8]>] = []
                for texts in timeouts {
                    var metadata = Metadata()
                    metadata.addBinary(HostileSession.header, forKey: CallMetadata.header)
                    for text in texts { metadata.addString(text, forKey: CallMetadata.timeout) }
                    heard.append(try await host.call(Self.send, metadata, [message]))
                }
                return heard
            }
        }
    }

    @Test func whatIsNoTimeoutIsNamed() async throws {
        // What is empty or no ASCII is no header of HTTP/2, and does not come as it was sent.
        let texts = WireTests.noTimeouts.filter { !$0.isEmpty && $0.utf8.allSatisfy { (0x21...0x7e).contains($0) } }
        for (text, heard) in zip(texts, try await calls(texts.map { [$0] })) {
            #expect(heard.status?.code == .invalidArgument, "\(text): \(String(describing: heard.status))")
            #expect(heard.error?.reason == "remote.bad_timeout", "\(text)")
            #expect(heard.error?.effect == CallError.Effect.none && heard.error?.detail == "/grpc-timeout")
            #expect(heard.error?.message.contains("\"\(text)\"") == true, "\(heard.error?.message ?? "")")
        }
        let twice = try await calls([["30S", "1n"]])
        #expect(twice[0].error?.reason == "remote.bad_timeout")
    }

    /// Neither as if there were none, nor as a mistake: the time is over before the library hears of the call.
    @Test func theSmallestTimeoutsHavePassed() async throws {
        for heard in try await calls([["1n"], ["0n"], ["0S"], ["00000000H"], ["2n"]]) {
            #expect(heard.status?.code == .deadlineExceeded, "\(String(describing: heard.status))")
            #expect(heard.error?.effect == CallError.Effect.none, "\(String(describing: heard.error))")
            #expect(heard.frames.isEmpty)
        }
    }

    @Test func withTimeOrWithoutABoundItIsServed() async throws {
        for heard in try await calls([[], ["60S"], ["99999999H"], ["60000000u"], ["5M"]]) {
            #expect(heard.status?.code == .ok, "\(String(describing: heard.status)) \(String(describing: heard.error))")
            #expect(heard.frames.count == 1)
        }
    }
}
