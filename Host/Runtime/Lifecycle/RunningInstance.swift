// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts
internal import TheatreManifest

/// One generation of an instance: created, activated, stopped and destroyed on a thread of its own.
final class RunningInstance: Sendable {
    let plan: InstancePlan
    let generation: UInt32
    let port: InstancePort
    private let home: any InstanceHome
    private let control: ControlThread
    private let shared: Mutex<Shared>

    private struct Shared {
        var state = InstanceState.loaded
        nonisolated(unsafe) var table: UnsafeMutablePointer<theatre_instance>?
    }

    /// Makes the port; nothing of the plugin's own runs yet but its constructors.
    init(
        _ plan: InstancePlan, generation: UInt32, home: any InstanceHome, dispatcher: Dispatcher,
        hooks: InstancePort.Hooks
    ) {
        self.plan = plan
        self.generation = generation
        self.home = home
        control = ControlThread(name: plan.name)
        var hooks = hooks
        let told = hooks.onQuarantine
        hooks.onQuarantine = { identity, reason in
            told(identity, reason)
            home.abort()
        }
        shared = Mutex(Shared())
        let identity = InstanceIdentity(
            instance: plan.name, plugin: plan.file.manifest.name, generation: generation, grants: plan.grants,
            queues: plan.file.manifest.queues.map(\.name))
        port = dispatcher.makePort(
            identity, operations: plan.operations, calls: plan.calls, limits: plan.limits, hooks: hooks)
    }

    var state: InstanceState { shared.withLock { $0.state } }

    /// What is to be known of where it runs.
    var facts: [String: String] { home.facts }

    /// Why it takes no calls just now.
    var refusal: CallError? { home.refusal }

    /// `ledger (Ledger)`, for errors.
    private var title: String { "\(plan.name) (\(plan.file.manifest.name))" }

    /// LOADED → CONFIGURED.
    func create() throws(LoadError) {
        let result = try onControl("create") { [self] in runCreate() }
        let table: UnsafeMutablePointer<theatre_instance>
        switch result {
        case .success(let pointer): table = pointer.table
        case .failure(let error): throw quarantine(error)
        }
        do throws(CallError) {
            try port.attach(UnsafePointer(table))
        } catch {
            throw quarantine(failure("create", "an instance with all its functions", error.message))
        }
        shared.withLock { shared in
            shared.table = table
            shared.state = .configured
        }
    }

    /// CONFIGURED → READY, but for ``open()``: activates it and lets it test itself where the plan says so.
    func prepare() throws(LoadError) {
        try step("activate") { $0.pointee.activate }
        if plan.testsItself { try testSelf() }
    }

    /// Lets it test itself.
    func testSelf() throws(LoadError) { try step("self_test") { $0.pointee.self_test } }

    /// Lets calls in.
    func open() {
        shared.withLock { $0.state = .ready }
        port.open()
    }

    /// READY → RETIRED, once the port has drained or the time for it is over. Frees the instance only where nothing of
    /// it is in use any more.
    func retire(drained: Bool) {
        let table: SendableTable? = shared.withLock { shared in
            guard shared.state == .ready || shared.state == .configured || shared.state == .draining else { return nil }
            shared.state = .draining
            return shared.table.map(SendableTable.init)
        }
        if let table {
            _ = control.run(seconds: plan.controlSeconds) {
                table.table.pointee.deactivate?(table.table.pointee.`self`)
                if drained { table.table.pointee.destroy?(table.table.pointee.`self`) }
                return true
            }
        }
        shared.withLock { $0.state = .retired }
        control.end()
        home.end()
    }

    /// Its home ended by itself: its calls fail at once. True where it served.
    func crashed(_ end: InstanceEnd) -> Bool {
        let error =
            end.isPassing
            ? LoadError(
                plugin: title, code: LoadError.away, expected: "a server that answers", found: "one that \(end.cause)",
                fix: "start it, or correct its endpoint; the host tries it again by itself")
            : LoadError(
                plugin: title, code: "instance.crashed", expected: "a process that serves",
                found: "one that \(end.cause)", fix: "it is started again; see its log")
        let served = shared.withLock { shared in
            defer { if shared.state == .ready { shared.state = .quarantined(error) } }
            return shared.state == .ready
        }
        port.close(
            end.isPassing
                ? "The instance's server \(end.cause); it is tried again."
                : "The instance's process \(end.cause); it is started again.")
        port.dispatcher.fail(port, cause: end.cause)
        return served
    }

    /// Closes it for good, with the reason.
    @discardableResult
    func quarantine(_ error: LoadError) -> LoadError {
        port.close(error.description)
        shared.withLock { $0.state = .quarantined(error) }
        home.end()
        return error
    }

    /// A table the plugin allocated; only the control thread and the dispatcher call through it.
    private struct SendableTable: @unchecked Sendable {
        let table: UnsafeMutablePointer<theatre_instance>
    }

    private func runCreate() -> Result<SendableTable, LoadError> {
        var instance: UnsafeMutablePointer<theatre_instance>?
        var error = theatre_error()
        error.struct_size = UInt32(MemoryLayout<theatre_error>.size)
        let environment: [UInt8]
        do { environment = try plan.environment.serializedBytes() } catch {
            return .failure(failure("create", "an environment that can be encoded", "\(error)"))
        }
        let code = Self.borrow([Array(plan.name.utf8), plan.configuration, environment, plan.file.manifestBytes]) {
            parts in
            var arguments = theatre_create()
            arguments.struct_size = UInt32(MemoryLayout<theatre_create>.size)
            arguments.generation = generation
            arguments.instance = parts[0]
            arguments.configuration = parts[1]
            arguments.environment = parts[2]
            arguments.manifest = parts[3]
            return home.create(port.hostTable, &arguments, &instance, &error)
        }
        guard code == THEATRE_OK, let instance else {
            return .failure(failure("create", "an instance", Self.describe(code, error), code))
        }
        return .success(SendableTable(table: instance))
    }

    /// Runs one control function of the table, if it has it.
    private func step(
        _ name: String,
        _ function:
            @escaping @Sendable (UnsafeMutablePointer<theatre_instance>) -> (
                @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<theatre_error>?) -> Int32
            )?
    ) throws(LoadError) {
        guard let table = shared.withLock({ $0.table.map(SendableTable.init) }) else { return }
        let found = try onControl(name) { () -> (String, Int32)? in
            guard let body = function(table.table) else { return nil }
            var error = theatre_error()
            error.struct_size = UInt32(MemoryLayout<theatre_error>.size)
            let code = body(table.table.pointee.`self`, &error)
            return code == THEATRE_OK ? nil : (Self.describe(code, error), code)
        }
        if let (found, code) = found { throw quarantine(failure(name, "OK from \(name)", found, code)) }
    }

    private func onControl<T: Sendable>(_ name: String, _ body: @escaping @Sendable () -> T) throws(LoadError) -> T {
        guard let result = control.run(seconds: plan.controlSeconds, body) else {
            throw quarantine(
                LoadError(
                    plugin: title, code: "instance.\(name)_hangs",
                    expected: "an answer of \(name) within \(plan.controlSeconds) s",
                    found: "none", fix: "see the plugin's log; raise control_seconds if it is only slow"))
        }
        return result
    }

    /// What is out of reach to a server elsewhere, be it the server itself, is expected back.
    private func failure(
        _ step: String, _ expected: String, _ found: String, _ code: Int32 = THEATRE_INTERNAL
    ) -> LoadError {
        let isAway = plan.mode == .remote && code == THEATRE_UNAVAILABLE
        return LoadError(
            plugin: title, code: isAway ? LoadError.away : "instance.\(step)_failed", expected: expected, found: found,
            fix: "correct its configuration in plugins.d, or what the message names, and reload")
    }

    private static func describe(_ code: Int32, _ error: theatre_error) -> String {
        let reason = String(error.reason), message = String(error.message)
        let detail = error.detail.size > 0 ? " at \(String(error.detail))" : ""
        return "\(StatusCode(lenient: code)) \(reason)\(detail)\(message.isEmpty ? "" : ": \(message)")"
    }

    /// Lends several byte arrays as `theatre_bytes`.
    private static func borrow<R>(_ arrays: [[UInt8]], _ body: ([theatre_bytes]) -> R) -> R {
        func next(_ index: Int, _ parts: [theatre_bytes]) -> R {
            guard index < arrays.count else { return body(parts) }
            return arrays[index].withUnsafeBufferPointer {
                next(index + 1, parts + [theatre_bytes(data: $0.baseAddress, size: UInt64($0.count))])
            }
        }
        return next(0, [])
    }
}
