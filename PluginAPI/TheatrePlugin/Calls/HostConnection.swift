// TheatreOS
// SPDX-License-Identifier: Apache-2.0

package import CTheatrePlugin
internal import Synchronization
package import TheatreContracts

/// The host as one instance reaches it: calls out, answers in.
package final class HostConnection: Sendable {
    private let host: HostTable
    package let instance: String
    package let generation: UInt32
    package let environment: HostEnvironment
    private let names: CallNames
    private let isClosed = Atomic<Bool>(false)
    private let outgoing = Mutex(OutgoingTable())
    /// Of the calls that come in.
    let records = CallRecords()

    init(_ host: HostTable, instance: String, generation: UInt32, environment: HostEnvironment, names: CallNames) {
        self.host = host
        self.instance = instance
        self.generation = generation
        self.environment = environment
        self.names = names
    }

    /// The operations of a feature, by name.
    func operations(of feature: String) -> CallNames.Feature { names.feature(feature) }

    // MARK: Calls out

    /// Hands a request to the host.
    ///
    /// - Throws: `PluginError` where the host refuses it; nothing was sent then.
    func start(_ call: OutgoingCall, _ request: inout theatre_request) throws {
        guard !isClosed.load(ordering: .acquiring) else { throw Self.gone }
        let ticket = outgoing.withLock { $0.begin() }
        var id: theatre_id = 0
        var error = theatre_error.sized
        let code = host.request(host.ctx, &request, &id, &error)
        guard code == THEATRE_OK else {
            outgoing.withLock { $0.refuse(ticket) }
            throw PluginError(code: code, &error)
        }
        accept(call, ticket, id)
    }

    /// What became of a request without streams by the time the host had taken it.
    enum Asked {
        case answered(OutgoingCall.Answer)
        case waiting(OutgoingCall)
    }

    /// Hands a request without streams to the host.
    ///
    /// - Throws: `PluginError` where the host refuses it; nothing was sent then.
    func ask(_ request: inout theatre_request) throws -> Asked {
        guard !isClosed.load(ordering: .acquiring) else { throw Self.gone }
        let ticket = outgoing.withLock { $0.begin() }
        var frame = PromptReply.Frame(self)
        var error = theatre_error.sized
        let code = PromptReply.listen(&frame) { host.request(host.ctx, &request, $0, &error) }
        guard code == THEATRE_OK else {
            outgoing.withLock { $0.refuse(ticket) }
            throw PluginError(code: code, &error)
        }
        if let answer = frame.answer {
            outgoing.withLock { $0.answered(ticket) }
            return .answered(answer)
        }
        let call = OutgoingCall(self)
        accept(call, ticket, frame.id)
        return .waiting(call)
    }

    private func accept(_ call: OutgoingCall, _ ticket: UInt64, _ id: theatre_id) {
        call.identity.id.store(id, ordering: .releasing)
        outgoing.withLock { table in
            // Under the lock, so that what comes next for this call comes after.
            for event in table.accept(ticket, id, call) { Self.deliver(event, to: call) }
        }
    }

    package func cancel(_ id: theatre_id) {
        guard !isClosed.load(ordering: .acquiring) else { return }
        host.cancel(host.ctx, id, THEATRE_CANCEL_CALLER)
    }

    func send(_ id: theatre_id, _ chunk: UnsafePointer<theatre_chunk>) -> theatre_code {
        guard !isClosed.load(ordering: .acquiring) else { return THEATRE_NOT_FOUND }
        return host.send(host.ctx, id, chunk)
    }

    func grant(_ id: theatre_id, _ bytes: UInt64) {
        guard !isClosed.load(ordering: .acquiring) else { return }
        host.credit(host.ctx, id, bytes)
    }

    func complete(_ id: theatre_id, _ result: inout theatre_result) {
        guard !isClosed.load(ordering: .acquiring) else { return }
        // NOT_FOUND: the caller has its answer already, as after a deadline. The host counts it.
        _ = host.complete(host.ctx, id, &result)
    }

    func isLive(_ id: theatre_id) -> Bool {
        !isClosed.load(ordering: .acquiring) && host.isLive(host.ctx, id) == 1
    }

    func now(_ kind: UInt32) -> UInt64 {
        isClosed.load(ordering: .acquiring) ? 0 : host.now(host.ctx, kind)
    }

    func log(_ level: UInt32, _ message: String, _ fields: String) {
        guard !isClosed.load(ordering: .acquiring) else { return }
        var message = message
        var fields = fields
        message.withUTF8 { message in
            fields.withUTF8 { fields in
                host.log(
                    host.ctx, level, theatre_bytes(UnsafeRawBufferPointer(message)),
                    theatre_bytes(UnsafeRawBufferPointer(fields)))
            }
        }
    }

    // MARK: Answers in

    /// The answer to a call, perhaps before `start` knows its id.
    func reply(_ id: theatre_id, _ result: theatre_result) -> theatre_code {
        if PromptReply.take(id, for: self, { Self.answer(result) }) { return THEATRE_OK }
        let answer = Self.answer(result)
        let (call, isKept) = outgoing.withLock { table in
            let found = table.call(id, else: .answer(answer))
            if found.call != nil { table.remove(id) }
            return found
        }
        guard let call else { return isKept ? THEATRE_OK : THEATRE_NOT_FOUND }
        return call.answer(answer) ? THEATRE_OK : THEATRE_NOT_FOUND
    }

    private static func answer(_ result: theatre_result) -> OutgoingCall.Answer {
        result.code == THEATRE_OK
            ? .success(result.payload.copy) : .failure(PluginError(code: result.code, result.error))
    }

    func chunk(_ id: theatre_id, _ chunk: theatre_chunk) -> theatre_code {
        let (call, isKept) = outgoing.withLock {
            $0.call(id, else: .chunk(flags: chunk.flags, sequence: chunk.seq, bytes: chunk.data.copy))
        }
        guard let call else { return isKept ? THEATRE_OK : THEATRE_NOT_FOUND }
        return call.inbound?.deliver(chunk) ?? THEATRE_FAILED_PRECONDITION
    }

    func credit(_ id: theatre_id, _ bytes: UInt64) {
        outgoing.withLock { $0.call(id, else: .credit(bytes)) }.call?.outbound?.grant(bytes)
    }

    /// The instance ends: the host's functions are called no more, and what waits fails.
    package func close() {
        isClosed.store(true, ordering: .releasing)
        for call in outgoing.withLock({ $0.removeAll() }) { _ = call.answer(.failure(Self.gone)) }
    }

    private static func deliver(_ event: OutgoingTable.Event, to call: OutgoingCall) {
        switch event {
        case .answer(let answer): _ = call.answer(answer)
        case .credit(let bytes): call.outbound?.grant(bytes)
        case .chunk(let flags, let sequence, let bytes):
            bytes.withUnsafeBytes { buffer in
                var chunk = theatre_chunk.sized
                chunk.flags = flags
                chunk.seq = sequence
                chunk.data = theatre_bytes(buffer)
                _ = call.inbound?.deliver(chunk)
            }
        }
    }

    private static let gone = PluginError(
        .unavailable, "plugin.destroyed", "The instance has been destroyed; nothing was sent.", retry: .safe)
}

/// What a plugin may call: the manifest's `calls`, by feature and operation.
package struct CallNames: Sendable {
    /// One feature's operations.
    package struct Feature: Sendable {
        let name: String
        let indexes: [String: UInt32]
        let resolve: (@Sendable (String) -> UInt32?)?

        /// The index of an operation; nil where the manifest does not list it.
        func index(_ operation: String) -> UInt32? {
            indexes[operation] ?? resolve?("\(name)/\(operation)")
        }
    }

    private var features: [String: [String: UInt32]] = [:]
    private let resolve: (@Sendable (String) -> UInt32?)?

    /// Of a manifest's `calls`; `resolve` answers for names beyond them.
    package init(_ calls: [String], resolve: (@Sendable (String) -> UInt32?)? = nil) {
        self.resolve = resolve
        for (index, call) in calls.enumerated() {
            let feature = String(call.prefix { $0 != "/" })
            features[feature, default: [:]][String(call.dropFirst(feature.count + 1))] = UInt32(index)
        }
    }

    func feature(_ name: String) -> Feature {
        Feature(name: name, indexes: features[name] ?? [:], resolve: resolve)
    }
}
