// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization
internal import TheatreContracts
internal import TheatreManifest
internal import TheatrePlugin

/// The calls of a test host: ids, routes, deadlines, and what breaks the rules of the interface.
final class TestCore: Sendable {
    /// One direction of a stream, as the host keeps count of it.
    struct Direction {
        var sequence: UInt64 = 0
        var credit = Int64(THEATRE_STREAM_CREDIT)
    }

    /// A call that is under way, or the root that a scope stands for.
    struct Record {
        let caller: TestSlot
        /// Nil for a root.
        let callee: TestSlot?
        let context: HostContext
        let deadline: UInt64
        var toCallee = Direction()
        var toCaller = Direction()
    }

    struct Route {
        let instance: String
        let capability: String?
    }

    struct State {
        var wall: UInt64 = 1_750_000_000_000_000_000
        var monotonic: UInt64 = 1_000_000_000
        var nextID: theatre_id = 1
        var calls: [theatre_id: Record] = [:]
        /// Ended by deadline or cancellation: their completion still comes and is dropped.
        var abandoned: Set<theatre_id> = []
        var slots: [String: TestSlot] = [:]
        var routes: [String: Route] = [:]
        var fakes: [String: TestSlot] = [:]
        var names: [String] = []
        var logs: [LogLine] = []
        var violations: [String] = []
        /// Bytes of refusals, kept as long as the host: simpler than the thread's next call, and longer.
        var refusals: [ErrorBytes] = []
    }

    let state = Mutex(State())

    // MARK: What instances call

    func request(
        _ caller: TestSlot, _ request: theatre_request, _ id: UnsafeMutablePointer<theatre_id>,
        _ error: UnsafeMutablePointer<theatre_error>?
    ) -> theatre_code {
        do {
            let name = try callName(caller, request.operation)
            let (callee, operation) = try target(name, from: caller)
            id.pointee = try begin(caller, callee, operation, request, name)
            return THEATRE_OK
        } catch let failure {
            let failure = PluginError(any: failure)
            let bytes = ErrorBytes(failure)
            if let error { bytes.fill(error) }
            state.withLock { $0.refusals.append(bytes) }
            return failure.code.rawValue
        }
    }

    func complete(_ slot: TestSlot, _ id: theatre_id, _ result: UnsafePointer<theatre_result>) -> theatre_code {
        let caller = state.withLock { state -> TestSlot? in
            if state.abandoned.remove(id) != nil { return nil }
            guard let record = state.calls[id], record.callee === slot else {
                state.violations.append(
                    "\(slot.name) completed call \(id), which is not its own or was completed before")
                return nil
            }
            state.calls[id] = nil
            return record.caller
        }
        guard let caller else { return THEATRE_NOT_FOUND }
        return deliver(result, of: id, to: caller)
    }

    func send(_ slot: TestSlot, _ id: theatre_id, _ chunk: UnsafePointer<theatre_chunk>) -> theatre_code {
        let message = theatre_chunk(reading: chunk)
        let size = Int64(message.data.buffer.count)
        let (code, receiver) = state.withLock { state -> (theatre_code, TestSlot?) in
            guard var record = state.calls[id], let callee = record.callee else { return (THEATRE_NOT_FOUND, nil) }
            let isAnswer = callee === slot
            var direction = isAnswer ? record.toCaller : record.toCallee
            guard direction.credit > 0 || size == 0 else { return (THEATRE_RESOURCE_EXHAUSTED, nil) }
            if message.seq != direction.sequence {
                state.violations.append("\(slot.name) sent chunk \(message.seq) where \(direction.sequence) was due")
            }
            direction.sequence += 1
            direction.credit -= size
            if isAnswer { record.toCaller = direction } else { record.toCallee = direction }
            state.calls[id] = record
            return (THEATRE_OK, isAnswer ? record.caller : callee)
        }
        guard code == THEATRE_OK, let table = receiver?.table, let send = table.pointee.send else { return code }
        return send(table.pointee.`self`, id, chunk)
    }

    func credit(_ slot: TestSlot, _ id: theatre_id, _ bytes: UInt64) {
        let sender = state.withLock { state -> TestSlot? in
            guard var record = state.calls[id], let callee = record.callee else { return nil }
            defer { state.calls[id] = record }
            if callee === slot {
                record.toCallee.credit += Int64(clamping: bytes)
                return record.caller
            }
            record.toCaller.credit += Int64(clamping: bytes)
            return callee
        }
        guard let table = sender?.table else { return }
        table.pointee.credit?(table.pointee.`self`, id, bytes)
    }

    func cancel(_ slot: TestSlot, _ id: theatre_id) {
        guard state.withLock({ $0.calls[id]?.caller === slot }) else { return }
        let error = PluginError(.cancelled, "call.cancelled", "The caller gave up the call.", effect: .unknown)
        abandon(id, error, THEATRE_CANCEL_CALLER)
    }

    func isLive(_ id: theatre_id) -> Bool { state.withLock { $0.calls[id] != nil } }

    func now(_ kind: UInt32) -> UInt64 {
        state.withLock { kind == THEATRE_CLOCK_WALL ? $0.wall : $0.monotonic }
    }

    func log(_ slot: TestSlot, _ level: UInt32, _ message: String, _ fields: String) {
        let line = LogLine(
            instance: slot.name, level: LogLine.Level(rawValue: level) ?? .error, message: message, fields: fields)
        state.withLock { $0.logs.append(line) }
    }

    // MARK: What the test does

    /// Moves both clocks and ends what is due.
    func advance(nanoseconds: UInt64) {
        let due = state.withLock { state in
            state.wall += nanoseconds
            state.monotonic += nanoseconds
            let now = state.monotonic
            return state.calls.filter { $0.value.deadline != 0 && $0.value.deadline <= now && $0.value.callee != nil }
                .keys.sorted()
        }
        let error = PluginError(
            .deadlineExceeded, "call.deadline", "The call's deadline passed.", effect: .unknown, retry: .safe)
        for id in due { abandon(id, error, THEATRE_CANCEL_DEADLINE) }
    }

    /// A call that others are made on behalf of.
    func root(_ caller: TestSlot, _ context: HostContext, deadline: UInt64) -> theatre_id {
        state.withLock { state in
            defer { state.nextID += 1 }
            state.calls[state.nextID] = Record(caller: caller, callee: nil, context: context, deadline: deadline)
            return state.nextID
        }
    }

    /// The index of a name that no manifest lists.
    func intern(_ name: String) -> UInt32 {
        state.withLock { state in
            if let index = state.names.firstIndex(of: name) { return UInt32(index) }
            state.names.append(name)
            return UInt32(state.names.count - 1)
        }
    }

    // MARK: Inside

    private func callName(_ caller: TestSlot, _ index: UInt32) throws -> String {
        let names = caller.manifest?.calls ?? state.withLock { $0.names }
        guard Int(index) < names.count else {
            throw PluginError(.unimplemented, "call.unknown", "Call \(index) is not in the manifest of \(caller.name).")
        }
        return names[Int(index)]
    }

    private func begin(
        _ caller: TestSlot, _ callee: TestSlot, _ operation: UInt32, _ request: theatre_request, _ name: String
    ) throws -> theatre_id {
        let (id, record) = try state.withLock { state in
            let parent = state.calls[request.on_behalf_of]
            if request.on_behalf_of != 0, parent == nil {
                throw PluginError(
                    .cancelled, "call.parent_ended", "The call on whose behalf \(name) is made has ended.")
            }
            var context = parent?.context ?? HostContext()
            context.caller = caller.name
            if let manifest = caller.manifest {
                context.publishes = manifest.grants.publishes.sorted().joined(separator: ",")
                context.queues = manifest.queues.map(\.name).joined(separator: ",")
            }
            let deadlines = [request.deadline_ns, parent?.deadline ?? 0].filter { $0 != 0 }
            let record = Record(caller: caller, callee: callee, context: context, deadline: deadlines.min() ?? 0)
            defer { state.nextID += 1 }
            state.calls[state.nextID] = record
            return (state.nextID, record)
        }
        guard let table = callee.table, let invoke = table.pointee.invoke else {
            throw PluginError(.unavailable, "call.no_instance", "\(callee.name) cannot be called.")
        }
        var forwarded = request
        forwarded.operation = operation
        forwarded.call = id
        forwarded.deadline_ns = record.deadline
        let code = try record.context.wireBytes().withUnsafeBytes { context in
            forwarded.context = theatre_bytes(context)
            return invoke(table.pointee.`self`, &forwarded)
        }
        guard code == THEATRE_OK else {
            state.withLock { $0.calls[id] = nil }
            throw PluginError(
                PluginError.Code(rawValue: code) ?? .unknown, "call.rejected", "\(callee.name) rejected \(name).")
        }
        return id
    }

    /// Answers the caller now; the callee's own answer is dropped when it comes.
    private func abandon(_ id: theatre_id, _ error: PluginError, _ reason: UInt32) {
        let record = state.withLock { state -> Record? in
            guard let record = state.calls.removeValue(forKey: id), record.callee != nil else { return nil }
            state.abandoned.insert(id)
            return record
        }
        guard let record else { return }
        error.withSeam { seam in
            var result = theatre_result.sized
            result.code = error.code.rawValue
            result.error = seam
            _ = deliver(&result, of: id, to: record.caller)
        }
        if let table = record.callee?.table { table.pointee.cancel?(table.pointee.`self`, id, reason) }
    }

    private func deliver(
        _ result: UnsafePointer<theatre_result>, of id: theatre_id, to caller: TestSlot
    ) -> theatre_code {
        guard let table = caller.table, let reply = table.pointee.reply else { return THEATRE_NOT_FOUND }
        if reply(table.pointee.`self`, id, result) != THEATRE_OK {
            state.withLock { $0.violations.append("\(caller.name) did not know call \(id), which it made") }
        }
        return THEATRE_OK
    }
}
