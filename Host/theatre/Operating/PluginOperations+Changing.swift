// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Logging
import Registry
import Runtime
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatreManifest

/// What changes what runs. On the operator's thread alone.
extension PluginOperations {
    func enable(_ name: String) throws(CallError) {
        let status = try status(of: name)
        guard decided.withLock({ $0.file.disabled[name] != nil }) else {
            guard status.state == .disabled else { return }
            throw CallError(
                .failedPrecondition, "plugins.disabled_in_plugins_d",
                "\(name) has `enabled: false` in plugins.d; change it there and send the host SIGHUP.")
        }
        try start(name)
        try decide { $0.file.disabled[name] = nil }
        tell("instance was enabled", name)
    }

    func disable(_ name: String, _ reason: String) throws(CallError) {
        let status = try status(of: name)
        guard status.state != .disabled else { return }
        guard !status.isCritical, name != settings.host.storage else {
            throw CallError(
                .failedPrecondition, "plugins.critical",
                "\(name) is critical: the host does not start without it; make it `critical: false` in plugins.d first."
            )
        }
        let decision = OperationsFile.Decision(at: Int64(parts.clock.wall() / 1_000_000), reason: reason)
        try decide {
            $0.file.disabled[name] = decision
            $0.quarantined[name] = nil
        }
        parts.fleet.close(
            name, as: .disabled, note: Self.note(decision, name), atOnce: false, drainSeconds: drainSeconds,
            flipped: deliver)
        tell("instance was disabled", name, ["reason": "\(reason)"])
    }

    func quarantine(_ name: String, _ reason: String) throws(CallError) {
        let status = try status(of: name)
        guard status.state != .disabled else { throw Self.disabled(name) }
        let error = LoadError(
            plugin: "\(name) (\(status.plugin))", code: "instance.quarantined_by_operator",
            expected: "an operator's release", found: reason.isEmpty ? "none" : "none; the reason is: \(reason)",
            fix: "theatre plugins release \(name)")
        decided.withLock { $0.quarantined[name] = error }
        parts.fleet.close(
            name, as: .quarantined(error), atOnce: true, drainSeconds: drainSeconds, flipped: deliver)
        tell("instance was quarantined", name, ["reason": "\(reason)"])
    }

    func release(_ name: String) throws(CallError) {
        switch try status(of: name).state {
        case .quarantined: try start(name)
        case .disabled: throw Self.disabled(name)
        default: return
        }
        decided.withLock { $0.quarantined[name] = nil }
        tell("instance was released", name)
    }

    func swap(_ name: String, library: NamedLibrary?, fresh: Bool) throws(CallError) -> HostSwapped {
        let status = try status(of: name)
        guard status.state != .disabled else { throw Self.disabled(name) }
        if library != nil { try checkIsHere(name, status.plugin) }
        let folders = LibraryPath(settings.libraries)
        let path = try library?.path(in: folders) ?? folders.file(of: status.plugin)
        let file: PluginFile
        do throws(LoadError) {
            if let alone = try manifestAlone(name, status.plugin) {
                file = alone
            } else {
                file = try PluginFile(name: status.plugin, path: path)
            }
            if let fault = file.fault { throw fault }
        } catch {
            throw Self.refusal(error)
        }
        return try swap(name, to: file, isPinned: library != nil, handover: !fresh)
    }

    func rollback(_ name: String) throws(CallError) -> HostSwapped {
        let status = try status(of: name)
        guard status.state != .disabled else { throw Self.disabled(name) }
        try checkIsHere(name, status.plugin)
        guard let file = decided.withLock({ $0.previous[name] }) else {
            throw CallError(
                .failedPrecondition, "plugins.nothing_before",
                "\(name) was not swapped since the host started; there is nothing to go back to.")
        }
        return try swap(name, to: file, isPinned: true, handover: true)
    }

    /// Where only a plugin's manifest is here, which library serves is its server's to say.
    private func checkIsHere(_ name: String, _ plugin: String) throws(CallError) {
        guard deployment.current.files[plugin]?.isServedElsewhere == true else { return }
        throw CallError(
            .failedPrecondition, "plugins.served_elsewhere",
            "\(name) is known by its manifest alone, and its server says which library serves; start another there, "
                + "put its manifest here, and swap without --library.")
    }

    /// The manifest as it stands now of a plugin that is known by nothing else; nil of others.
    private func manifestAlone(_ name: String, _ plugin: String) throws(LoadError) -> PluginFile? {
        guard let file = deployment.current.files[plugin], file.isServedElsewhere else { return nil }
        let declaration = deployment.current.instances.first { $0.name == name }
        let folder = file.path.lastIndex(of: "/").map { String(file.path[...$0]) } ?? ""
        return try PluginFile(
            name: plugin, manifest: file.path, contracts: declaration?.remote?.contracts ?? "\(folder)contracts.binpb")
    }

    /// The configuration stays that which is applied; only the library is another.
    private func swap(
        _ name: String, to file: PluginFile, isPinned: Bool, handover: Bool
    ) throws(CallError) -> HostSwapped {
        let plugin = file.manifest.name
        let before = parts.fleet.plan(of: name)?.file ?? deployment.current.files[plugin]
        try checkSharing(name, file)
        let next: CompiledDeployment
        do throws(DeploymentFaults) { next = try deployment.current.replacing(file) } catch {
            throw CallError(.failedPrecondition, "plugins.unproved", "With this library, \(error)")
        }
        let done = try start(name, of: next, handover: handover)
        decided.withLock { decided in
            if let before { decided.previous[name] = before }
            decided.pinned[plugin] = isPinned ? file : nil
            decided.quarantined[name] = nil
        }
        let shown = shown(try status(of: name))
        return .with {
            $0.instance = shown
            $0.from = done.from
            $0.to = done.to
            $0.handedOver = done.handedOver
        }
    }

    /// Instances of one plugin are of one manifest: with another, they change together, at a reload.
    private func checkSharing(_ name: String, _ file: PluginFile) throws(CallError) {
        let plugin = file.manifest.name
        let others = deployment.current.table.instances.map(\.declaration).filter {
            $0.plugin == plugin && $0.name != name
        }
        guard !others.isEmpty, deployment.current.files[plugin]?.manifestBytes != file.manifestBytes else { return }
        throw CallError(
            .failedPrecondition, "plugins.shared",
            "\(plugin) has another manifest there and also runs as \(others.map(\.name).joined(separator: ", ")); put it into \(settings.libraries) and send the host SIGHUP, which swaps them together."
        )
    }

    private func start(_ name: String) throws(CallError) {
        _ = try start(name, of: deployment.current, handover: false)
    }

    /// Runs an instance of a deployment in place of what runs, and applies the deployment.
    private func start(
        _ name: String, of next: CompiledDeployment, handover: Bool
    ) throws(CallError) -> Fleet.Replacement {
        do {
            let routes = try parts.routes(of: next)
            return try parts.granting(parts.planner(next, parts.url.withLock { $0 }).plan()) { plan, flip in
                guard let instance = plan.instances.first(where: { $0.name == name }) else {
                    if let error = plan.closed.first(where: { $0.status.instance == name })?.error { throw error }
                    throw Self.disabled(name)
                }
                return try parts.fleet.replace(
                    instance, routing: plan.routing, handover: handover, drainSeconds: drainSeconds
                ) {
                    flip()
                    deployment.set(next)
                    parts.open(next, routes)
                }
            }
        } catch let error as LoadError {
            throw Self.refusal(error)
        } catch let error as CallError {
            throw error
        } catch {
            throw CallError(.failedPrecondition, "plugins.not_started", "\(name) could not be started: \(error).")
        }
    }

    /// Events and jobs go to those that serve.
    private func deliver() { parts.deliver(deployment.current) }

    private func decide(_ change: (inout Decided) -> Void) throws(CallError) {
        let failure: String? = decided.withLock { decided in
            var next = decided
            change(&next)
            do {
                try next.file.write()
                decided = next
                return nil
            } catch {
                return "\(error)"
            }
        }
        if let failure { throw CallError(.internal, "plugins.not_kept", "The decision could not be kept: \(failure).") }
    }

    private var drainSeconds: Int { settings.host.drainSeconds }

    private func tell(_ message: Logger.Message, _ name: String, _ more: Logger.Metadata = [:]) {
        parts.logger.notice(message, metadata: more.merging(["instance": "\(name)"]) { $1 })
    }

    private static func disabled(_ name: String) -> CallError {
        CallError(.failedPrecondition, "plugins.disabled", "\(name) is disabled; enable it first.")
    }

    private static func refusal(_ error: LoadError) -> CallError {
        CallError(.failedPrecondition, error.code, error.description)
    }
}
