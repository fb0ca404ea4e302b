// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOCore
import Runtime
import Services
import Synchronization
import Testing
import TheatreManifest

@testable import theatre

/// Every operation of every plugin of the default deployment, called with bytes that are no message.
@Suite(.serialized) struct GarbageTests {
    @Test func garbageIsAnsweredWithAnErrorAndNothingElseHappens() async throws {
        try await DefaultHost.with { host in
            let serving = host.parts.fleet.statuses.filter { $0.state == .ready }
            #expect(!serving.isEmpty)
            for status in serving {
                let manifest = try #require(host.manifests[status.plugin])
                for operation in manifest.operations {
                    let code = try await host.call(status.instance, operation, [0xFF, 0xFF, 0x07, 0x80])
                    #expect(code != .ok, "\(status.instance) \(operation)")
                    #expect(code != .deadlineExceeded, "\(status.instance) \(operation)")
                }
            }
            let after = host.parts.fleet.statuses.filter { $0.state == .ready }.map(\.instance)
            #expect(after == serving.map(\.instance))
            for snapshot in host.parts.dispatcher.snapshot() {
                #expect(snapshot.double == 0, "\(snapshot.instance)")
                #expect(snapshot.malformed == 0, "\(snapshot.instance)")
                #expect(snapshot.inFlight == 0, "\(snapshot.instance)")
                #expect(snapshot.orphans == 0, "\(snapshot.instance)")
            }
        }
    }

    @Test func everyInstanceOfTheDefaultDeploymentGoesThroughItsWholeLife() async throws {
        let states = try await DefaultHost.with { host in host.parts.fleet.statuses }
        for status in states where status.state != .disabled {
            #expect(status.state == .ready, "\(status.instance): \(status.reason ?? "")")
        }
    }
}

/// The default deployment in this process, without a listener.
struct DefaultHost: Sendable {
    let parts: HostParts
    let manifests: [String: Manifest]

    /// Starts it, lends it, stops it.
    static func with<T>(_ body: (DefaultHost) async throws -> T) async throws -> T {
        let state = FileManager.default.temporaryDirectory.path + "/theatre-contract-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: state) }
        let folder = "\(BuiltPlugins.root)/plugins.d"
        let deployment = try CompiledDeployment.read(folder: folder, libraries: BuiltPlugins.folder)
        var stated = deployment.host
        stated.state = state
        let configuration = stated
        let settings = HostServer.Settings(
            host: configuration, folder: folder, libraries: BuiltPlugins.folder, readyDescriptor: nil, testClock: nil,
            verifiesAnswers: false)
        let parts = try HostParts(deployment, settings)
        let control = OperatorThread()
        let host = DefaultHost(parts: parts, manifests: deployment.files.mapValues(\.manifest))
        let result: Result<T, any Error>
        do {
            try await control.run {
                let plan = try parts.planner(deployment, "http://127.0.0.1:1").plan()
                try MasterKeyring.prepare(plan, configuration)
                try parts.granting(plan) { plan, flip in
                    try parts.fleet.start(plan)
                    flip()
                }
            }
            result = .success(try await body(host))
        } catch { result = .failure(error) }
        try await control.run { parts.fleet.stop(drainSeconds: 5) }
        try await parts.egress.shutdown().get()
        return try result.get()
    }

    /// Sends one payload and waits for the completion's code.
    func call(_ instance: String, _ operation: String, _ payload: [UInt8]) async throws -> StatusCode {
        let target = try parts.dispatcher.target(instance: instance, operation: operation)
        return await withCheckedContinuation { continuation in
            let sink = CodeSink(continuation)
            payload.withUnsafeBytes { bytes in
                var call = OutgoingCall(payload: bytes, context: .system)
                call.timeout = 10_000_000_000
                let id = parts.dispatcher.start(call, on: target, sink: sink)
                _ = parts.dispatcher.send(id, bytes, end: true)
            }
        }
    }
}

/// Resumes with the code of the completion.
private final class CodeSink: CallSink {
    private let continuation: CheckedContinuation<StatusCode, Never>

    init(_ continuation: CheckedContinuation<StatusCode, Never>) { self.continuation = continuation }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        continuation.resume(returning: result.error?.code ?? .ok)
    }
}
