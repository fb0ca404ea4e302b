// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import Logging
internal import Synchronization
internal import TheatreManifest

extension Fleet {
    /// An instance's home ended by itself: its calls fail at once, and it is started again or quarantined, on a thread
    /// beside. On any thread.
    func crashed(_ instance: RunningInstance, _ end: InstanceEnd) {
        guard instance.crashed(end) else { return }
        let name = instance.plan.name
        let decision = shared.withLock { shared -> CrashHistory.Decision? in
            guard shared.running[name] === instance else { return nil }
            return shared.crashes[name, default: CrashHistory()].add(end, crashPolicy)
        }
        guard let decision else { return }
        logger.error(
            end.isPassing ? "instance is out of reach" : "instance crashed",
            metadata: Self.metadata(instance).merging([
                "cause": "\(end.cause)", "output": "\(end.output.suffix(400))", "next": "\(decision)",
            ]) { $1 })
        recover(instance, decision, end)
    }

    private func recover(_ instance: RunningInstance, _ decision: CrashHistory.Decision, _ end: InstanceEnd) {
        let thread = ControlThread(name: "theatre-respawn")
        thread.enqueue { [self] in
            switch decision {
            case .restart(let delay):
                theatre_clock_pause(UInt64(delay) * 1_000_000)
                awaitProviders(of: instance.plan)
                restart(instance)
            case .quarantine(let count): giveUp(instance, count, end)
            }
        }
        thread.end()
    }

    /// Lets what it needs start again first, so that what fails with another is not taken for a crash of its own.
    private func awaitProviders(of plan: InstancePlan) {
        let providers = plan.providers.subtracting([plan.name])
        for _ in 0..<Self.providerLooks {
            let wait = shared.withLock { shared in
                providers.contains { shared.running[$0].map { $0.state != .ready } ?? false }
            }
            guard wait else { return }
            theatre_clock_pause(10_000_000)
        }
    }

    /// Looks at providers that are down, 10 ms apart: where needs form a circle somebody has to begin.
    private static let providerLooks = 300

    /// A new generation takes the place of one that crashed, if nobody else took it.
    private func restart(_ instance: RunningInstance) {
        let name = instance.plan.name
        guard shared.withLock({ $0.running[name] === instance }) else { return }
        do throws(LoadError) {
            try replace(instance.plan, expected: instance.generation, handover: false, drainSeconds: 1)
        } catch {
            guard error.code != "instance.replaced" else { return }
            let end = Self.end(of: error)
            let decision = shared.withLock { shared -> CrashHistory.Decision? in
                guard shared.running[name] === instance else { return nil }
                return shared.crashes[name, default: CrashHistory()].add(end, crashPolicy)
            }
            logger.error(
                "instance did not start again", metadata: Self.metadata(instance).merging(["error": "\(error)"]) { $1 })
            if let decision { recover(instance, decision, end) }
        }
    }

    static func end(of error: LoadError) -> InstanceEnd {
        var end = InstanceEnd(
            at: Int64(theatre_clock_wall() / 1_000_000), cause: "did not start again: \(error)", output: "")
        end.isPassing = error.isPassing
        return end
    }

    private func giveUp(_ instance: RunningInstance, _ count: Int, _ end: InstanceEnd) {
        guard shared.withLock({ $0.running[instance.plan.name] === instance }) else { return }
        let plan = instance.plan
        close(
            plan.name,
            as: .quarantined(
                LoadError(
                    plugin: "\(plan.name) (\(plan.file.manifest.name))", code: "instance.crash_loop",
                    expected: "fewer than \(crashPolicy.limit) crashes within \(crashPolicy.window / 1000) s",
                    found: "\(count); the last time it \(end.cause)",
                    fix: "correct the plugin, then `theatre plugins release \(plan.name)`")),
            atOnce: true, drainSeconds: 1)
    }
}
