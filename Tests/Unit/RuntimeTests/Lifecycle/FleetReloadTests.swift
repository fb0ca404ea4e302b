// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Logging
import Testing
import TheatreContracts

@testable import Runtime

/// What a reload refuses, with libraries that fail before any code of theirs runs.
@Suite struct FleetReloadTests {
    private let fleet: Fleet

    init() {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        fleet = Fleet(dispatcher: Dispatcher(), hooks: InstancePort.Hooks(), logger: logger)
    }

    private final class NoRoutes: Routing {
        func resolve(_ query: borrowing RouteQuery) -> Resolution {
            .unavailable(CallError(.unavailable, "route.unrouted", "Nothing is routed here."))
        }
    }

    /// Its file is sound as far as it is read, and the loader refuses it.
    private func unloadable(_ fingerprint: String, critical: Bool = false) throws -> InstancePlan {
        let manifest = #"{"manifest": 1, "name": "Good", "version": "1.2.3"}"#
        let file = try PluginFile(
            name: "Good", path: "", image: SyntheticELF.plugin("Good", manifest: manifest).bytes)
        return InstancePlan(
            name: "loader", file: file, isCritical: critical, configuration: [], environment: HostEnvironment(),
            grants: ResolvedGrants(), operations: [], calls: [], limits: InstancePort.Limits(),
            fingerprint: fingerprint, providers: [], controlSeconds: 1)
    }

    private func unreadable(_ fingerprint: String, state: InstanceState? = nil) -> ClosedInstance {
        let error = LoadError(
            plugin: "Bad", code: "plugin.not_a_library", expected: "a library", found: "none", fix: "build it")
        return ClosedInstance(
            InstanceStatus(
                instance: "file", plugin: "Bad", version: "", mode: "inproc", generation: 0,
                state: state ?? .quarantined(error), capabilities: [], digest: "", isCritical: false),
            fingerprint: fingerprint)
    }

    private func plan(_ instances: [InstancePlan], _ closed: [ClosedInstance]) -> Fleet.Plan {
        Fleet.Plan(instances: instances, closed: closed) { _ in NoRoutes() }
    }

    /// The code of the reload's refusal; nil where it was applied.
    private func reload(_ instances: [InstancePlan], _ closed: [ClosedInstance]) throws -> String? {
        var flipped = false
        do {
            try fleet.reload(plan(instances, closed), drainSeconds: 1) { flipped = true }
            #expect(flipped)
            return nil
        } catch let error as LoadError {
            #expect(!flipped)
            return error.code
        }
    }

    private var states: [String] { fleet.statuses.map { "\($0.instance) \($0.state)" } }

    @Test func aStartToleratesWhatAReloadRefuses() throws {
        try fleet.start(plan([try unloadable("1")], [unreadable("1")]))
        #expect(states == ["file QUARANTINED", "loader QUARANTINED"])
    }

    @Test func aNewInstanceWithAFaultRefusesTheReload() throws {
        try fleet.start(plan([], []))
        #expect(try reload([try unloadable("1")], []) == "plugin.load")
        #expect(try reload([], [unreadable("1")]) == "plugin.not_a_library")
        #expect(states.isEmpty)
        #expect(try reload([], [unreadable("1", state: .disabled)]) == nil)
        #expect(states == ["file DISABLED"])
        #expect(try reload([], [unreadable("1")]) == "plugin.not_a_library", "disabled is not failed")
    }

    @Test func whatHadFailedAndIsUnchangedStaysFailed() throws {
        try fleet.start(plan([try unloadable("1")], [unreadable("1")]))
        #expect(try reload([try unloadable("1")], [unreadable("1")]) == nil)
        #expect(states == ["file QUARANTINED", "loader QUARANTINED"])
        #expect(try reload([try unloadable("2")], [unreadable("1")]) == "plugin.load")
        #expect(try reload([try unloadable("1")], [unreadable("2")]) == "plugin.not_a_library")
        #expect(try reload([try unloadable("1", critical: true)], [unreadable("1")]) == "plugin.load")
        #expect(states == ["file QUARANTINED", "loader QUARANTINED"])
        #expect(try reload([], []) == nil)
        #expect(states.isEmpty)
    }
}
