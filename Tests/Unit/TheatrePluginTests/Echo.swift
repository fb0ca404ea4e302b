// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// The plugin under test: answers, fails, waits, streams, and calls a feature of its own kind.
struct Echo: Plugin {
    static var operations: [Operation<Echo>] {
        [
            .unary("test.v1.Echo/Say") { plugin, request, call in try await plugin.say(request, call) },
            .unary("test.v1.Echo/Relay") { plugin, request, call in try await plugin.relay(request, call) },
            .unary("test.v1.Echo/Wait") { plugin, request, call in try await plugin.wait(request, call) },
            .serverStreaming("test.v1.Echo/Count") { plugin, request, call, output in
                try await plugin.count(request, call, output)
            },
            .bidirectional("test.v1.Echo/Mirror") { plugin, input, call, output in
                try await plugin.mirror(input, call, output)
            },
        ]
    }

    static func manifest(_ kind: String = "pool", threads: Int = 2, extra: String = "") -> ManifestSource {
        .json(manifestText(kind, threads: threads, extra: extra))
    }

    static func manifestText(_ kind: String = "pool", threads: Int = 2, extra: String = "") -> String {
        """
        {"manifest": 1, "name": "Echo", "version": "1.0.0", "executor": {"kind": "\(kind)", "threads": \(threads)},
         "provides": [{"capability": "test.v1.Echo"}],
         "operations": ["test.v1.Echo/Say", "test.v1.Echo/Relay", "test.v1.Echo/Wait", "test.v1.Echo/Count",
                        "test.v1.Echo/Mirror"\(extra)],
         "needs": [{"feature": "echo.next", "capability": "test.v1.Echo"}],
         "calls": ["echo.next/Say", "echo.next/Wait", "echo.next/Count", "echo.next/Mirror"],
         "configuration": {"type": "object", "properties": {"greeting": {"type": "string", "default": "hello"}}}}
        """
    }

    struct Settings: Decodable, Sendable {
        struct Inner: Decodable, Sendable { var limit: Int }
        var greeting: String
        var nested: [Inner]?
    }

    struct Strange: Error { let secret = "hunter2" }

    let host: PluginHost
    let greeting: String

    init(_ host: PluginHost, _ configuration: Settings) throws {
        self.host = host
        greeting = configuration.greeting
    }

    func say(_ request: HostFireRequest, _ call: Call) async throws -> HostFireRequest {
        switch request.name {
        case "fail":
            throw PluginError(
                .failedPrecondition, "echo.failed", "As was asked for.", effect: .applied,
                retry: .after(milliseconds: 250),
                detail: "/name")
        case "strange": throw Strange()
        case "greeting": return .with { $0.name = greeting }
        case "who": return .with { $0.name = "\(call.principal)/\(call.tenant)/\(call.context.caller)/\(call.attempt)" }
        case "log":
            call.host.log.debug("echo.said", ["text": "a \"quoted\"\nline", "at": "\(call.host.now)"])
            return request
        default: return request
        }
    }

    func relay(_ request: HostFireRequest, _ call: Call) async throws -> HostFireRequest {
        try await Caller(call, feature: "echo.next").unary("Say", request, CallOptions(idempotencyKey: "k1"))
    }

    /// Ends only when cancelled.
    func wait(_ request: HostFireRequest, _ call: Call) async throws -> HostFireRequest {
        host.log.debug("echo.waiting")
        let stream = AsyncStream<Never> { _ in }
        for await _ in stream {}
        try Task.checkCancellation()
        return request
    }

    /// `at` messages of `attempt` bytes each; named `broken`, it fails after them.
    func count(_ request: HostFireRequest, _ call: Call, _ output: MessageSink<HostFireRequest>) async throws {
        for index in 0..<request.at {
            try await output.send(
                .with {
                    $0.at = index
                    $0.payload = Data(repeating: 7, count: Int(request.attempt))
                })
            host.log.trace("echo.sent")
        }
        if request.name == "broken" { throw PluginError(.dataLoss, "echo.broken", "As was asked for.") }
    }

    func mirror(
        _ input: MessageStream<HostFireRequest>, _ call: Call, _ output: MessageSink<HostFireRequest>
    ) async throws {
        for try await message in input { try await output.send(message) }
    }
}

/// Two echoes, the first of which calls the second.
func echoes(_ kind: String = "pool") async throws -> (host: TestHost, client: Caller) {
    let host = TestHost()
    try await host.install(Echo.self, manifest: Echo.manifest(kind), instance: "first")
    try await host.install(Echo.self, manifest: Echo.manifest(kind), instance: "second")
    host.route("echo", to: "first")
    host.route("echo.next", to: "second")
    return (host, Caller(host.scope(principal: "usr_1"), feature: "echo"))
}

func fire(_ name: String, at: Int64 = 0, size: UInt32 = 0) -> HostFireRequest {
    .with {
        $0.name = name
        $0.at = at
        $0.attempt = size
    }
}

extension Caller {
    func say(_ operation: String, _ name: String, _ options: CallOptions = CallOptions()) async throws
        -> HostFireRequest
    {
        try await unary(operation, fire(name), options)
    }
}
