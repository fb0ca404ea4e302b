// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Registry
import Runtime
import Services
import TheatreManifest

extension EventConsumer {
    /// What an instance consumes, as its manifest says; nil where it is nothing.
    init?(_ instance: BoundInstance) {
        let manifest = instance.plugin.manifest
        guard !manifest.consumes.isEmpty else { return nil }
        // Half of what it can take at once is left to its callers.
        self.init(
            instance: instance.declaration.name,
            subscriptions: manifest.consumes.map {
                Subscription(types: $0.types, timeout: $0.timeoutMilliseconds, maxAttempts: $0.maxAttempts)
            },
            concurrency: min(32, max(1, manifest.maxConcurrency / 2)))
    }
}

extension JobQueue {
    /// The queues of an instance, as its manifest says.
    static func queues(of instance: BoundInstance) -> [JobQueue] {
        instance.plugin.manifest.queues.map { JobQueue(owner: instance.declaration.name, $0) }
    }

    private init(owner: String, _ manifest: Manifest.Queue) {
        self.init(owner: owner, name: manifest.name)
        concurrency = manifest.concurrency
        globalConcurrency = manifest.globalConcurrency
        maxAttempts = manifest.maxAttempts
        timeout = manifest.timeoutMilliseconds
        lease = manifest.leaseMilliseconds
        backoff = manifest.backoffMilliseconds
        backoffMax = manifest.backoffMaxMilliseconds
    }
}

extension RetentionPeriods {
    /// As `00-host.yaml` says.
    init(_ host: HostConfiguration) {
        self.init(
            events: Int64(host.eventDays) * 86_400_000, endedJobs: Int64(host.endedJobHours) * 3_600_000,
            deadJobs: Int64(host.deadJobDays) * 86_400_000, audit: Int64(host.auditDays) * 86_400_000)
    }
}
