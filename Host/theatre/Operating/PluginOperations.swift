// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import Registry
import Runtime
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatreManifest

/// Everything an operator does with the instances of a running host: the control socket and `theatre.host.v1.Plugins`
/// both come here.
final class PluginOperations: Sendable {
    let parts: HostParts
    let deployment: CurrentDeployment
    let settings: HostServer.Settings
    /// Where changes are made, one after the other.
    private let changing: OperatorThread
    /// Where files are looked at, so that a look does not wait for a change.
    private let looking = OperatorThread()
    let decided: Mutex<Decided>
    private let digests = FileDigests()

    /// What was decided since the start, and what is kept of before.
    struct Decided {
        /// What survives a restart.
        var file: OperationsFile
        /// Instances that an operator quarantined.
        var quarantined: [String: LoadError] = [:]
        /// By plugin: libraries that a swap put in place of those in the folder.
        var pinned: [String: PluginFile] = [:]
        /// By instance: what served before the last swap.
        var previous: [String: PluginFile] = [:]
    }

    init(
        parts: HostParts, deployment: CurrentDeployment, settings: HostServer.Settings, thread: OperatorThread
    ) throws {
        self.parts = parts
        self.deployment = deployment
        self.settings = settings
        changing = thread
        decided = Mutex(Decided(file: try OperationsFile(state: settings.host.state)))
    }

    /// Does what was asked, and tells what came of it, once, on a thread of the host's.
    func perform(_ request: PluginRequest, _ done: @escaping @Sendable (Result<PluginAnswer, CallError>) -> Void) {
        let thread =
            switch request {
            case .list, .show, .logs: looking
            default: changing
            }
        thread.submit { [self] in
            do throws(CallError) { done(.success(try answer(request))) } catch { done(.failure(error)) }
        }
    }

    private func answer(_ request: PluginRequest) throws(CallError) -> PluginAnswer {
        switch request {
        case .list: return .instances(parts.fleet.statuses.map(shown))
        case .show(let name): return .instance(shown(try status(of: name)))
        case .logs(let name, let limit):
            _ = try status(of: name)
            let count = limit == 0 ? 100 : min(limit, InstanceRecords.limit)
            return .logs(parts.records.last(count, of: name).map(HostInstanceLogLine.init))
        case .enable(let name): try enable(name)
        case .disable(let name, let reason): try disable(name, reason)
        case .quarantine(let name, let reason): try quarantine(name, reason)
        case .release(let name): try release(name)
        case .swap(let name, let library, let fresh): return .swapped(try swap(name, library: library, fresh: fresh))
        case .rollback(let name): return .swapped(try rollback(name))
        }
        return .instance(shown(try status(of: request.instance)))
    }

    /// Where an instance stands.
    func status(of name: String) throws(CallError) -> InstanceStatus {
        if let status = parts.fleet.statuses.first(where: { $0.instance == name }) { return status }
        let names = parts.fleet.statuses.map(\.instance)
        let hint = nearestMatch(to: name, among: names).map { "; did you mean \($0)?" } ?? "."
        throw CallError(.notFound, "plugins.unknown_instance", "No instance of this host is named \(name)\(hint)")
    }

    /// As operators see it.
    func shown(_ status: InstanceStatus) -> HostInstance {
        let path = LibraryPath(settings.libraries).file(of: status.plugin)
        let (isDisabled, previous) = decided.withLock {
            ($0.file.disabled[status.instance] != nil, $0.previous[status.instance]?.digest)
        }
        return .with {
            $0.instance = status.instance
            $0.plugin = status.plugin
            $0.version = status.version
            $0.mode = status.mode
            $0.state = "\(status.state)"
            $0.generation = status.generation
            $0.reason = status.reason ?? ""
            $0.critical = status.isCritical
            $0.capabilities = status.capabilities
            $0.runningDigest = status.state == .ready ? status.digest : ""
            $0.configuredDigest = digests.digest(of: path)
            $0.previousDigest = previous ?? ""
            $0.disabledByOperator = isDisabled
            $0.mappedBuilds = UInt32(parts.housing.images(of: status.plugin))
            $0.facts = status.facts
        }
    }

    /// What is to run, less what operators took out of service.
    func applying(_ plan: Fleet.Plan) -> Fleet.Plan {
        let (disabled, quarantined) = decided.withLock { ($0.file.disabled, $0.quarantined) }
        var applied = plan
        applied.instances = []
        for instance in plan.instances {
            let state: InstanceState
            if disabled[instance.name] != nil {
                state = .disabled
            } else if let error = quarantined[instance.name] {
                state = .quarantined(error)
            } else {
                applied.instances.append(instance)
                continue
            }
            let manifest = instance.file.manifest
            var status = InstanceStatus(
                instance: instance.name, plugin: manifest.name, version: manifest.version, mode: instance.mode.rawValue,
                generation: 0, state: state, capabilities: manifest.provides.map(\.capability),
                digest: instance.file.digest, isCritical: instance.isCritical)
            if let decision = disabled[instance.name] { status.note = Self.note(decision, instance.name) }
            applied.closed.append(
                ClosedInstance(status, fingerprint: instance.fingerprint, isDeliberate: true))
        }
        return applied
    }

    /// Libraries that stand for those in the folder, at a reload.
    var pinned: [String: PluginFile] { decided.withLock { $0.pinned } }

    /// What a caller of a disabled instance is told.
    static func note(_ decision: OperationsFile.Decision, _ name: String) -> String {
        let reason = decision.reason.isEmpty ? "" : " (\(decision.reason))"
        return "An operator disabled \(name)\(reason); `theatre plugins enable \(name)` lets it serve again."
    }
}

extension PluginRequest {
    /// The instance it is about; empty for all.
    var instance: String {
        switch self {
        case .list: ""
        case .show(let name), .enable(let name), .release(let name), .rollback(let name): name
        case .disable(let name, _), .quarantine(let name, _): name
        case .swap(let name, _, _): name
        case .logs(let name, _): name
        }
    }
}

extension PluginRequest {
    /// What it changes, as the command is called; nil for a look.
    var change: String? {
        switch self {
        case .list, .show, .logs: nil
        case .enable: "enable"
        case .disable: "disable"
        case .quarantine: "quarantine"
        case .release: "release"
        case .swap: "swap"
        case .rollback: "rollback"
        }
    }
}

extension HostInstanceLogLine {
    init(_ line: InstanceRecords.Line) {
        self.init()
        at = line.at
        level = line.level.rawValue
        generation = line.generation
        message = line.message
        let object = JSONValue.object(line.fields.mapValues { .string("\($0)") })
        fields = (try? object.json()).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}

/// The deployment that is applied.
final class CurrentDeployment: Sendable {
    private let value: Mutex<CompiledDeployment>
    init(_ value: CompiledDeployment) { self.value = Mutex(value) }
    var current: CompiledDeployment { value.withLock { $0 } }
    func set(_ deployment: CompiledDeployment) { value.withLock { $0 = deployment } }
}

/// SHA-256 of files that seldom change, by path, size and time of change.
private final class FileDigests: Sendable {
    private let known = Mutex<[String: (stamp: String, digest: String)]>([:])

    /// In hex; empty where it is no library.
    func digest(of path: String) -> String {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return "" }
        let stamp = "\(attributes[.size] ?? "") \((attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0)"
        if let known = known.withLock({ $0[path] }), known.stamp == stamp { return known.digest }
        guard let digest = PluginFile.digest(ofFile: path) else { return "" }
        known.withLock { $0[path] = (stamp, digest) }
        return digest
    }
}
