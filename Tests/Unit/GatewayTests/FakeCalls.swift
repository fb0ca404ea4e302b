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
        /// What streams take before they give no more credit, and what they were sent.
        var streamCredit = Int.max
        var sent: [[UInt8]] = []
        var sawEnd = false
        var credited: UInt64 = 0
    }
    private let state = Mutex(State())

    /// Makes the ports that targets name; carries nothing.
    private let dispatcher = Dispatcher()

    func serve(_ operation: String, _ answer: @escaping Answer) { state.withLock { $0.operations[operation] = answer } }
    func close(_ instance: String) { state.withLock { _ = $0.closed.insert(instance) } }
    var calls: [Call] { state.withLock { $0.calls } }
    var cancelled: Int { state.withLock { $0.cancelled.count } }
    var open: Int { state.withLock { $0.open.count } }

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
            guard message.isEmpty || state.streamCredit > 0 else { return false }
            state.streamCredit -= message.count
            if !message.isEmpty { state.sent.append(Array(message)) }
            state.sawEnd = state.sawEnd || end
            return true
        }
    }

    func credit(_ call: CallID, bytes: UInt64) { state.withLock { $0.credited += bytes } }

    // MARK: Streams

    /// The messages a stream was sent.
    var sent: [[UInt8]] { state.withLock { $0.sent } }
    var sawEnd: Bool { state.withLock { $0.sawEnd } }
    /// The credit given for what a stream answered.
    var credited: UInt64 { state.withLock { $0.credited } }

    /// How much streams take from now on; tells the open one.
    func setStreamCredit(_ bytes: Int) {
        let open = state.withLock { state in
            state.streamCredit = bytes
            return state.open.first
        }
        if let (id, sink) = open, bytes > 0 { sink.credit(id, bytes: UInt64(bytes)) }
    }

    /// A message of the open stream's answer.
    func reply(_ message: [UInt8]) {
        guard let (id, sink) = state.withLock({ $0.open.first }) else { return }
        message.withUnsafeBytes { sink.receive(id, $0, end: false) }
    }
    func cancel(_ call: CallID) { state.withLock { $0.cancelled.append(call) } }
}

/// The message is the parameters, then the body; the answer is the payload.
struct EchoCodec: RouteCodec {
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
        rate: String = "default", bodyLimit: Int = 1024, idempotent: Bool = true, raw: Bool = false,
        headers: [String] = [], streamed: Bool = false
    ) -> RouteEntry {
        let capability = streamed ? "theatre.http.v1.Handler" : "test.Echo"
        let operation = streamed ? "theatre.http.v1.Handler/HandleStream" : "test.Echo/Echo"
        var route = """
            {"method":"\(method)","path":"\(path)","operation":"\(operation)","access":"\(access)","resource":"echo",
            "action":"echo","scope":"none","audit":"\(audit)","rate":"\(rate)","body_limit":\(bodyLimit),
            "idempotent":\(idempotent),"request":"a","response":"b","headers":[\(headers.map { "\"\($0)\"" }.joined(separator: ","))]
            """
        route += raw ? ",\"body\":\"raw\"}" : "}"
        let json = """
            {"manifest":1,"name":"Echo","version":"1.0.0","provides":[{"capability":"\(capability)"}],
            "operations":["\(operation)"],"routes":[\(route)]}
            """
        do {
            let manifest = try Manifest(json: .init(json.utf8))
            return RouteEntry(route: manifest.routes[0], instance: "echo", body: raw ? .raw : .message(EchoCodec())) {
                () throws(CallError) in try calls.target(instance: "echo", operation: operation)
            }
        } catch {
            preconditionFailure("the manifest of the test is wrong: \(error)")
        }
    }
}
