// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Gathers metrics from whoever has some, when they are asked for.
public final class MetricsRegistry: Sendable {
    /// Gives a snapshot, on any thread, quickly.
    public typealias Provider = @Sendable () -> [MetricFamily]

    private let providers = Mutex<[Provider]>([])

    /// Empty.
    public init() {}

    /// Adds a provider for good.
    public func register(_ provider: @escaping Provider) { providers.withLock { $0.append(provider) } }

    /// Everything as it is now, in the Prometheus text format.
    public func text() -> String {
        let all = providers.withLock { $0 }
        return PrometheusText.render(all.flatMap { $0() })
    }
}
