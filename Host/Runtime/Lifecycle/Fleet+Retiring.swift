// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import Logging
internal import Synchronization

extension Fleet {
    /// Lets what was replaced end: calls that began before the flip, and those on their behalf, then the instances
    /// themselves, one after the other on a thread of their own.
    func retireBeside(_ old: [RunningInstance], drainSeconds: Int) {
        guard !old.isEmpty else { return }
        let number = dispatcher.serving.number.load(ordering: .relaxed)
        let done = Latch()
        shared.withLock { shared in
            shared.retiring.removeAll(where: \.isOpen)
            shared.retiring.append(done)
        }
        let thread = ControlThread(name: "theatre-drain")
        thread.enqueue { [self] in
            let plans = shared.withLock { $0.running.values.map(\.plan) } + old.map(\.plan)
            for instance in old {
                let left = letEnd(before: number, instance, plans, drainSeconds: drainSeconds)
                retire(instance, drainSeconds: left)
                logger.debug("instance is retired", metadata: Self.metadata(instance))
            }
            done.open()
        }
        thread.end()
    }

    /// Waits until no call that began before the flip can lead to the instance; the seconds that are left.
    ///
    /// Such a call is one of an instance whose needs may reach it, directly or by others.
    private func letEnd(
        before number: Int, _ instance: RunningInstance, _ plans: [InstancePlan], drainSeconds: Int
    ) -> Int {
        let instances = Self.dependants(of: instance.plan.name, plans)
        let began = dispatcher.clock.monotonic()
        let bound = UInt64(drainSeconds) * 1_000_000_000
        var quiet = 0
        // Twice: a call that is just being sent is seen by the second look.
        while quiet < 2 {
            let spent = dispatcher.clock.monotonic() &- began
            guard spent < bound else { return 0 }
            quiet = dispatcher.hasCalls(before: number, among: instances) ? 0 : quiet + 1
            theatre_clock_pause(Self.lookInterval)
        }
        return max(1, Int((bound - min(bound, dispatcher.clock.monotonic() &- began)) / 1_000_000_000))
    }

    /// Nanoseconds between two looks.
    private static let lookInterval: UInt64 = 1_000_000

    /// The instances from which a call may come to `name`, with itself only where it calls itself by others.
    static func dependants(of name: String, _ plans: [InstancePlan]) -> Set<String> {
        var found: Set<String> = []
        var next = [name]
        while let provider = next.popLast() {
            for plan in plans where plan.providers.contains(provider) && found.insert(plan.name).inserted {
                next.append(plan.name)
            }
        }
        return found
    }
}
