// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Registry
internal import Synchronization

/// The health of every profile whose instance stands for somebody outside, over all routing tables: a new table goes on
/// with what is known, as long as the same generation serves.
public final class HealthBook: Sendable {
    private struct Page {
        var generation: UInt32
        var health: ProfileHealth
    }

    private let clock: any HostClock
    private let rules: HealthRules
    private let changed: @Sendable (HealthReport) -> Void
    private let pages = Mutex<[Title: Page]>([:])

    private struct Title: Hashable {
        var profile: String
        var capability: String
    }

    /// - Parameters:
    ///   - clock: the dispatcher's.
    ///   - changed: told of each change of a profile's state, once. Must not block.
    public init(
        clock: any HostClock = SystemClock(), rules: HealthRules = HealthRules(),
        changed: @escaping @Sendable (HealthReport) -> Void = { _ in }
    ) {
        self.clock = clock
        self.rules = rules
        self.changed = changed
    }

    /// The health of a profile. Another generation of its instance begins anew: what failed may be mended.
    func health(
        of profile: String, for capability: String, servedBy identity: InstanceIdentity, faults: [String: FaultClass]
    ) -> ProfileHealth {
        let title = Title(profile: profile, capability: capability)
        return pages.withLock { pages in
            if let page = pages[title], page.generation == identity.generation,
                page.health.instance == identity.instance
            {
                return page.health
            }
            let health = ProfileHealth(
                profile: profile, instance: identity.instance, capability: capability,
                judge: FaultJudge(faults: faults), rules: rules,
                changed: changed)
            pages[title] = Page(generation: identity.generation, health: health)
            return health
        }
    }

    /// What is known of each profile, by name and capability.
    public func reports() -> [HealthReport] {
        pages.withLock { Array($0.values) }.map { $0.health.report(clock) }.sorted {
            ($0.profile, $0.capability) < ($1.profile, $1.capability)
        }
    }
}
