// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOCore
import Synchronization
import TheatreManifest

@testable import Gateway
@testable import Runtime

/// Plugins that are closures.
final class FakeCalls: CallStarting {
    struct Call: Sendable {
        var operation: String
        var payload: [UInt8]
        var context: CallContext
        var idempotencyKey: String
    }

    /// Answers a call; nil leaves it open for ``finish(_:)``.
    typealias Answer = @Sendable (Call) -> Result<[UInt8], CallError>?

    private struct State {
        var operations: [String: Answer] = [:]
        var calls: [Call] = []
        var open: [(CallID, any CallSink)] = []
        var cancelled: [CallID] = []
        var next: UInt64 = 1
        var closed: Set<String> = []
        var credit = Int.max
        var sent: [[UInt8]] = []
        var ends = 0
        var returned: UInt64 = 0
    }
    private let state = Mutex(State())

    /// Makes the ports that targets name; carries nothing.
    private let dispatcher = Dispatcher()

    func serve(_ operation: String, _ answer: @escaping Answer) { state.withLock { $0.operations[operation] = answer } }
    func close(_ instance: String) { state.withLock { _ = $0.closed.insert(instance) } }
    var calls: [Call] { state.withLock { $0.calls } }
    var cancelled: Int { state.withLock { $0.cancelled.count } }
    var open: Int { state.withLock { $0.open.count } }

    // MARK: streams, of the oldest open call

    /// Messages of the incoming stream so far.
    var sent: [[UInt8]] { state.withLock { $0.sent } }
    /// How often the incoming stream ended.
    var ends: Int { state.withLock { $0.ends } }
    /// Credit that the gateway gave for the outgoing stream.
    var returned: UInt64 { state.withLock { $0.returned } }

    /// Takes no more than this many bytes until ``grant(_:)``.
    func limit(_ bytes: Int) { state.withLock { $0.credit = bytes } }

    func grant(_ bytes: Int) {
        let call = state.withLock { state in
            state.credit += bytes
            return state.open.first
        }
        if let (id, sink) = call { sink.credit(id, bytes: UInt64(bytes)) }
    }

    /// Sends the next message of the outgoing stream.
    func push(_ message: [UInt8], end: Bool = false) {
        guard let (id, sink) = state.withLock({ $0.open.first }) else { return }
        message.withUnsafeBytes { sink.receive(id, $0, end: end) }
    }

    /// Answers the oldest open call.
    func finish(_ result: Result<[UInt8], CallError>) {
        guard let (id, sink) = state.withLock({ $0.open.isEmpty ? nil : $0.open.removeFirst() }) else { return }
        Self.complete(id, sink, result)
    }

    func target(instance: String, operation: String) throws(CallError) -> CallTarget {
        if state.withLock({ $0.closed.contains(instance) }) {
            throw CallError(.unavailable, "instance.closed", "\(instance) is closed", retry: .safe)
        }
        let identity = InstanceIdentity(
            instance: instance, plugin: "Fake", generation: 1, grants: ResolvedGrants())
        return CallTarget(port: dispatcher.makePort(identity, operations: [PortOperation(operation)]), operation: 0)
    }

    func start(_ call: borrowing OutgoingCall, on target: CallTarget, sink: any CallSink) -> CallID {
        let operation = target.port.operations[Int(target.operation)].name
        let made = Call(
            operation: operation, payload: Array(call.payload), context: call.context,
            idempotencyKey: call.idempotencyKey)
        let (id, answer) = state.withLock { state in
            state.calls.append(made)
            state.next += 1
            return (CallID(rawValue: state.next), state.operations[operation])
        }
        guard let answer else {
            sink.complete(id, CallResult(CallError(.unimplemented, "fake.none", "nothing serves \(operation)")))
            return id
        }
        if let result = answer(made) {
            Self.complete(id, sink, result)
        } else {
            state.withLock { $0.open.append((id, sink)) }
        }
        return id
    }

    private static func complete(_ id: CallID, _ sink: any CallSink, _ result: Result<[UInt8], CallError>) {
        switch result {
        case .success(let bytes): bytes.withUnsafeBytes { sink.complete(id, CallResult(payload: $0)) }
        case .failure(let error): sink.complete(id, CallResult(error))
        }
    }

    func send(_ call: CallID, _ message: UnsafeRawBufferPointer, end: Bool) -> Bool {
        state.withLock { state in
            guard state.open.contains(where: { $0.0 == call }), state.ends == 0 else { return false }
            guard state.credit > 0 || (end && message.isEmpty) else { return false }
            state.credit -= message.count
            if !message.isEmpty { state.sent.append(Array(message)) }
            if end { state.ends += 1 }
            return true
        }
    }

    func credit(_ call: CallID, bytes: UInt64) { state.withLock { $0.returned += bytes } }
    func cancel(_ call: CallID) { state.withLock { $0.cancelled.append(call) } }
}

/// The message is the parameters, then the body; the answer is the payload.
struct EchoCodec: RouteCodec {
    var takesSecrets = false

    func takes(_ field: String) -> Bool { false }

    func request(body: ByteBuffer, path: [RouteParameter], query: [RouteParameter]) throws(CallError) -> [UInt8] {
        let parameters = (path + query).map { "\($0.name)=\($0.value);" }.joined()
        return Array(parameters.utf8) + Array(body.readableBytesView)
    }

    func response(_ payload: UnsafeRawBufferPointer) throws -> ByteBuffer { ByteBuffer(bytes: payload) }
}

extension RouteEntry {
    /// A route of the instance `echo`.
    static func echo(
        _ method: String, _ path: String, on calls: FakeCalls, access: String = "anyone", audit: String = "none",
        rate: String = "default", bodyLimit: Int = 1024, idempotent: Bool = true, body: RouteBody? = nil,
        headers: [String] = [], scope: String = "none", role: String = ""
    ) -> RouteEntry {
        let (operation, isRaw) =
            switch body {
            case nil, .message: ("test.Echo/Echo", false)
            case .raw: ("theatre.http.v1.Handler/Handle", true)
            case .rawStream: ("theatre.http.v1.Handler/HandleStream", true)
            }
        let resolver = "theatre.access.v1.Scopes/ResolveProject"
        let operations = scope.hasPrefix("row:") ? [operation, resolver] : [operation]
        let provides = operations.map { #"{"capability":"\#($0.prefix { $0 != "/" })"}"# }.joined(separator: ",")
        let role = role.isEmpty ? "" : #""role":"\#(role)","#
        var route = """
            {"method":"\(method)","path":"\(path)","operation":"\(operation)","access":"\(access)","resource":"echo",
            "action":"echo","scope":"\(scope)",\(role)"audit":"\(audit)","rate":"\(rate)","body_limit":\(bodyLimit),
            "idempotent":\(idempotent),"request":"a","response":"b","headers":[\(headers.map { "\"\($0)\"" }.joined(separator: ","))]
            """
        route += isRaw ? ",\"body\":\"raw\"}" : "}"
        let json = """
            {"manifest":1,"name":"Echo","version":"1.0.0","provides":[\(provides)],
            "operations":[\(operations.map { "\"\($0)\"" }.joined(separator: ","))],"routes":[\(route)]}
            """
        do {
            let manifest = try Manifest(json: .init(json.utf8))
            return RouteEntry(route: manifest.routes[0], instance: "echo", body: body ?? .message(EchoCodec())) {
                () throws(CallError) in try calls.target(instance: "echo", operation: operation)
            }
        } catch {
            preconditionFailure("the manifest of the test is wrong: \(error)")
        }
    }
}
