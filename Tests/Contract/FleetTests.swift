// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Logging
import Runtime
import Testing
import TheatreContracts
import TheatreManifest

/// Starts, reloads and stops of real libraries.
@Suite(.serialized) struct FleetTests {
    /// A fleet, its dispatcher, and plans for fixtures.
    private struct Bench {
        let dispatcher = Dispatcher(clock: SystemClock())
        let fleet: Fleet

        init() {
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            fleet = Fleet(dispatcher: dispatcher, hooks: InstancePort.Hooks(), logger: logger)
        }

        func plan(_ plugin: String, _ name: String, critical: Bool = false, fingerprint: String = "1") throws
            -> InstancePlan
        {
            let file = try PluginFile(name: plugin, path: "\(BuiltPlugins.folder)/lib\(plugin).so")
            return InstancePlan(
                name: name, file: file, isCritical: critical, configuration: Array("{}".utf8),
                environment: HostEnvironment(), grants: ResolvedGrants(),
                operations: file.manifest.operations.map { PortOperation($0, OperationTraits()) }, calls: [],
                limits: InstancePort.Limits(), fingerprint: fingerprint, providers: [], controlSeconds: 1)
        }

        func start(_ plans: [InstancePlan]) throws { try fleet.start(fleetPlan(plans)) }

        func reload(_ plans: [InstancePlan]) throws {
            try fleet.reload(fleetPlan(plans), drainSeconds: 1) {}
        }

        private func fleetPlan(_ plans: [InstancePlan]) -> Fleet.Plan {
            Fleet.Plan(instances: plans, closed: []) { _ in NoRoutes() }
        }

        func state(_ name: String) -> String? {
            fleet.statuses.first { $0.instance == name }.map { "\($0.state) \($0.generation)" }
        }
    }

    /// Nothing needs anything.
    private final class NoRoutes: Routing {
        func resolve(_ query: borrowing RouteQuery) -> Resolution {
            .unavailable(CallError(.unavailable, "route.unrouted", "Nothing is routed here."))
        }
    }

    @Test func aFaultyInstanceStandsBesideTheGoodOne() throws {
        let bench = Bench()
        try bench.start([try bench.plan("Good", "good"), try bench.plan("ThrowsInCreate", "bad")])
        #expect(bench.state("good") == "READY 1")
        #expect(bench.state("bad") == "QUARANTINED 0")
        #expect(bench.fleet.port("bad") == nil)
        #expect(throws: CallError.self) {
            try bench.dispatcher.target(instance: "bad", operation: "theatre.http.v1.Handler/Handle")
        }
        _ = try bench.dispatcher.target(instance: "good", operation: "theatre.http.v1.Handler/Handle")
        bench.fleet.stop(drainSeconds: 1)
        #expect(bench.fleet.statuses.filter { $0.state == .ready }.isEmpty)
    }

    @Test(arguments: ["ThrowsInCreate", "HangsInActivate", "Lies"])
    func aCriticalOneStopsTheStart(_ plugin: String) throws {
        let bench = Bench()
        let plans = [try bench.plan("Good", "good"), try bench.plan(plugin, "bad", critical: true)]
        #expect(throws: LoadError.self) { try bench.start(plans) }
        #expect(bench.fleet.statuses.filter { $0.state == .ready }.isEmpty)
    }

    @Test func aReloadKeepsWhatDidNotChangeAndReplacesWhatDid() throws {
        let bench = Bench()
        try bench.start([try bench.plan("Good", "kept"), try bench.plan("Good", "changed")])
        try bench.reload([
            try bench.plan("Good", "kept"), try bench.plan("Good", "changed", fingerprint: "2"),
            try bench.plan("Good", "added"),
        ])
        #expect(bench.state("kept") == "READY 1")
        #expect(bench.state("changed") == "READY 2")
        #expect(bench.state("added") == "READY 1")
        try bench.reload([try bench.plan("Good", "kept")])
        #expect(bench.fleet.statuses.map(\.instance) == ["kept"])
        bench.fleet.stop(drainSeconds: 1)
    }

    @Test func aReloadThatFailsChangesNothing() throws {
        let bench = Bench()
        try bench.start([try bench.plan("Good", "good")])
        let target = try bench.dispatcher.target(instance: "good", operation: "theatre.http.v1.Handler/Handle")
        let plans = [
            try bench.plan("Good", "good", fingerprint: "2"), try bench.plan("ThrowsInCreate", "bad"),
        ]
        #expect(throws: LoadError.self) { try bench.reload(plans) }
        #expect(bench.state("good") == "READY 1")
        #expect(bench.state("bad") == nil)
        let after = try bench.dispatcher.target(instance: "good", operation: "theatre.http.v1.Handler/Handle")
        _ = (target, after)
        bench.fleet.stop(drainSeconds: 1)
    }

    @Test(arguments: ["ThrowsInCreate", "HangsInActivate", "Lies"])
    func aReloadThatMeetsAnyFaultOfANewInstanceIsRefused(_ plugin: String) throws {
        let bench = Bench()
        try bench.start([try bench.plan("Good", "good")])
        let bad = try bench.plan(plugin, "bad")
        #expect(throws: LoadError.self) { try bench.reload([try bench.plan("Good", "good"), bad]) }
        #expect(bench.state("good") == "READY 1")
        #expect(bench.state("bad") == nil)
        bench.fleet.stop(drainSeconds: 1)
    }

    @Test func whatHadFailedBeforeDoesNotHoldAReloadBackUntilItChanges() throws {
        let bench = Bench()
        try bench.start([try bench.plan("Good", "good"), try bench.plan("ThrowsInCreate", "bad")])
        try bench.reload([
            try bench.plan("Good", "good", fingerprint: "2"), try bench.plan("ThrowsInCreate", "bad"),
        ])
        #expect(bench.state("good") == "READY 2")
        #expect(bench.state("bad") == "QUARANTINED 0")
        #expect(throws: LoadError.self) {
            try bench.reload([
                try bench.plan("Good", "good", fingerprint: "3"),
                try bench.plan("ThrowsInCreate", "bad", fingerprint: "2"),
            ])
        }
        #expect(bench.state("good") == "READY 2")
        try bench.reload([try bench.plan("Good", "good", fingerprint: "2"), try bench.plan("Good", "bad")])
        #expect(bench.state("bad")?.hasPrefix("READY") == true)
        bench.fleet.stop(drainSeconds: 1)
    }

    @Test func everyBuiltPluginThatNeedsNobodyLivesFromCreateToDestroy() throws {
        for plugin in BuiltPlugins.all {
            let file = try BuiltPlugins.file(plugin)
            guard file.manifest.needs.isEmpty, file.manifest.calls.isEmpty, !file.manifest.grants.stateFolder else {
                continue
            }
            let bench = Bench()
            try bench.start([
                try bench.plan(BuiltPlugins.name(plugin), "one"), try bench.plan(BuiltPlugins.name(plugin), "two"),
            ])
            #expect(bench.state("one") == "READY 1", "\(plugin): \(bench.fleet.statuses.first?.reason ?? "")")
            #expect(bench.state("two") == "READY 1", "\(plugin)")
            bench.fleet.stop(drainSeconds: 1)
        }
    }
}
