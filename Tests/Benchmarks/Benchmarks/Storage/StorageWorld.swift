// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import NIOPosix
import Runtime
import Services
import SwiftProtobuf
import TheatreContracts

/// A storage plugin and one that works it, loaded and planned as the host does both, with the host's own pumps.
final class StorageWorld: Sendable {
    /// Clients send as this tenant.
    static let tenant = "bench"
    /// Accounts there are.
    static let rows = 100_000

    /// Folder of everything that is stored.
    let state: String
    let dispatcher = Dispatcher()
    let clock: LoopClock
    private let fleet: Fleet
    private let target: CallTarget
    private let context: CallContext

    /// Blocks while the instances start.
    ///
    /// - Parameter storage: the declaration of the instance `storage`, in YAML.
    init(libraries: String, state: String, storage: String) throws {
        self.state = state
        let folder = "\(state)/plugins.d"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let files = [
            "10-storage.yaml": storage,
            "20-clerk.yaml": "plugin: Clerk\ninstance: clerk\ncritical: true\ngrants: {publishes: [clerk]}\n",
        ]
        for (name, text) in files { try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)")) }
        let deployment = try CompiledDeployment.read(folder: folder, libraries: libraries)
        let secrets = SecretsService(source: FileAndEnvironmentSecrets(folder: "\(state)/secrets"))
        let planner = DeploymentPlanner(
            deployment: deployment, services: [secrets.contract: secrets], state: state, publicURL: "",
            version: "benchmarks")
        var logger = Logger(label: "benchmarks")
        logger.logLevel = .warning
        fleet = Fleet(dispatcher: dispatcher, hooks: InstancePort.Hooks(), logger: logger)
        try fleet.start(planner.plan())
        try dispatcher.startSweeping()
        dispatcher.export(spansTo: SpanCounter(), ratio: 1)
        let clock = dispatcher.clock
        self.clock = LoopClock(
            loop: MultiThreadedEventLoopGroup.singleton.next(), wall: { Int64(clock.wall() / 1_000_000) },
            monotonic: { clock.monotonic() })
        target = try dispatcher.target(instance: "clerk", operation: World.handle)
        context = CallContext(
            HostContext.with {
                $0.tenant = Self.tenant
                $0.principalKind = .user
                $0.principal = "usr_bench"
            })
    }

    /// Has the clerk do something; the figures it found.
    func work(_ route: String, _ words: KeyValuePairs<String, Int>) async throws -> [Double] {
        let request = HTTPRequest.with {
            $0.method = "POST"
            $0.route = route
            $0.body = Data((["rows=\(Self.rows)"] + words.map { "\($0)=\($1)" }).joined(separator: " ").utf8)
        }
        let response: HTTPResponse = try await dispatcher.call(
            target, request: request, context: context, timeout: .seconds(110))
        return String(decoding: response.body, as: UTF8.self).split(separator: " ").compactMap { Double($0) }
    }

    /// As ``work(_:_:)``, where there is one figure.
    func rate(_ route: String, tasks: Int, milliseconds: Int) async throws -> Double {
        guard let rate = try await work(route, ["tasks": tasks, "milliseconds": milliseconds]).first else {
            throw BenchmarkFailure("\(route) gave no figure")
        }
        return rate
    }

    func stop() {
        fleet.stop(drainSeconds: 5)
        dispatcher.stopSweeping()
    }
}
