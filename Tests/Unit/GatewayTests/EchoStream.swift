// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Synchronization
import TheatreContracts

@testable import Runtime

/// A plugin that echoes the body of one streamed request part by part, within the credit of 64 KiB that each direction
/// starts with.
final class EchoStream: CallStarting {
    private struct State {
        var sink: (any CallSink)?
        var creditIn = 65_536
        var creditOut = 65_536
        var waiting: [(request: Int, response: [UInt8])] = []
        var hasEnded = false
        var isDone = false
        var echoed = 0
    }
    private let state = Mutex(State())
    private static let id = CallID(rawValue: 7)

    /// Bytes of body that went back.
    var echoed: Int { state.withLock { $0.echoed } }

    func target(instance: String, operation: String) throws(CallError) -> CallTarget {
        throw CallError(.unimplemented, "test.none", "Only streams are served.")
    }

    func start(_ call: borrowing OutgoingCall, on target: CallTarget, sink: any CallSink) -> CallID {
        state.withLock { $0.sink = sink }
        return Self.id
    }

    func send(_ call: CallID, _ message: UnsafeRawBufferPointer, end: Bool) -> Bool {
        let isTaken = state.withLock { state in
            guard state.creditIn > 0 || (end && message.isEmpty) else { return false }
            state.creditIn -= message.count
            state.hasEnded = state.hasEnded || end
            guard !message.isEmpty else { return true }
            do {
                let request = try HTTPRequestPart(serializedBytes: Array(message))
                let response = HTTPResponsePart.with {
                    if case .data(let data)? = request.part { $0.data = data } else { $0.head.status = 200 }
                }
                state.echoed += response.data.count
                state.waiting.append((message.count, try response.serializedBytes()))
                return true
            } catch {
                return false
            }
        }
        pump()
        return isTaken
    }

    func credit(_ call: CallID, bytes: UInt64) {
        state.withLock { $0.creditOut += Int(bytes) }
        pump()
    }

    func cancel(_ call: CallID) {}

    private func pump() {
        while let (part, sink) = next() {
            part.response.withUnsafeBytes { sink.receive(Self.id, $0, end: false) }
            sink.credit(Self.id, bytes: UInt64(part.request))
        }
        let done = state.withLock { state -> (any CallSink)? in
            guard state.hasEnded, state.waiting.isEmpty, !state.isDone else { return nil }
            state.isDone = true
            return state.sink
        }
        done?.complete(Self.id, CallResult(payload: UnsafeRawBufferPointer(start: nil, count: 0)))
    }

    private func next() -> ((request: Int, response: [UInt8]), any CallSink)? {
        state.withLock { state in
            guard state.creditOut > 0, let part = state.waiting.first, let sink = state.sink else { return nil }
            state.waiting.removeFirst()
            state.creditOut -= part.response.count
            state.creditIn += part.request
            return (part, sink)
        }
    }
}
