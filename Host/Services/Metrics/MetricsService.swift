// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Runtime
internal import Synchronization
internal import TheatreContracts

/// `theatre.host.v1.Metrics`: figures of plugins' own, exported as `theatre_plugin_NAME` with the labels `instance`
/// and `generation`: a new generation begins anew.
public final class MetricsService: HostService {
    /// Series an instance may have.
    public static let seriesPerInstance = 100
    /// Samples in one request.
    public static let samplesPerRequest = 100
    /// Labels of one sample.
    public static let labelsPerSample = 5

    /// The contract's full name.
    public let contract = "theatre.host.v1.Metrics"

    private struct Series: Hashable {
        var name: String
        var labels: [String: String]
    }

    private struct State {
        var values: [String: [UInt32: [Series: Double]]] = [:]
        /// A name has one type over all instances: the text format knows no other.
        var counters: [String: Bool] = [:]
    }

    private let state = Mutex(State())

    /// Empty.
    public init() {}

    /// Serves one call; see ``HostService``.
    public func serve(_ operation: String, _ call: any HostCall) {
        guard operation == "Record" else { return call.failUnknown(operation, of: contract) }
        call.answer(HostRecordRequest.self) { request throws(CallError) in
            guard request.samples.count <= Self.samplesPerRequest else {
                throw CallError(
                    .invalidArgument, "metrics.too_many_samples",
                    "A request has \(request.samples.count) samples, at most \(Self.samplesPerRequest) are taken.")
            }
            for (index, sample) in request.samples.enumerated() { try Self.check(sample, index) }
            try record(request.samples, of: call.instance)
            return HostRecordResponse()
        }
    }

    /// Forgets an instance that is gone.
    public func forget(_ instance: String) { state.withLock { $0.values[instance] = nil } }

    /// Everything recorded.
    public func metrics() -> [MetricFamily] {
        let state = state.withLock { $0 }
        var families: [String: MetricFamily] = [:]
        for (instance, generation, values) in state.values.flatMap({ instance, generations in
            generations.map { (instance, $0, $1) }
        }) {
            for (series, value) in values {
                let kind: MetricFamily.Kind = state.counters[series.name] == true ? .counter : .gauge
                let name = "theatre_plugin_\(series.name)"
                let labels = series.labels.merging(["instance": instance, "generation": "\(generation)"]) { $1 }
                families[name, default: MetricFamily(name, kind, "A figure that plugins record.", [])].samples
                    .append(MetricSample(labels, value))
            }
        }
        return Array(families.values)
    }

    /// All of them or none.
    private func record(_ samples: [HostSample], of identity: InstanceIdentity) throws(CallError) {
        try state.withLock { state throws(CallError) in
            let instance = identity.instance
            var values = state.values[instance]?[identity.generation] ?? [:]
            var counters = state.counters
            for (index, sample) in samples.enumerated() {
                guard counters[sample.name, default: sample.counter] == sample.counter else {
                    throw CallError(
                        .invalidArgument, "metrics.other_type",
                        "\(sample.name) is recorded both as a counter and as a gauge; choose one.",
                        detail: "/samples/\(index)/counter")
                }
                counters[sample.name] = sample.counter
                let series = Series(name: sample.name, labels: sample.labels)
                values[series] = sample.counter ? values[series, default: 0] + sample.value : sample.value
            }
            guard values.count <= Self.seriesPerInstance else {
                throw CallError(
                    .resourceExhausted, "metrics.too_many_series",
                    "Instance \(instance) would have \(values.count) series, at most \(Self.seriesPerInstance) are kept; use fewer label values."
                )
            }
            state.values[instance, default: [:]][identity.generation] = values
            state.values[instance]?.forgetOld()
            state.counters = counters
        }
    }

    /// Set by the host.
    private static let ownLabels: Set<String> = ["instance", "generation"]

    private static func check(_ sample: HostSample, _ index: Int) throws(CallError) {
        func refuse(_ why: String, _ field: String) -> CallError {
            CallError(.invalidArgument, "metrics.bad_sample", "A sample \(why).", detail: "/samples/\(index)/\(field)")
        }
        guard isName(sample.name) else { throw refuse("has a name that is not [a-z][a-z0-9_]*", "name") }
        guard sample.counter == sample.name.hasSuffix("_total") else {
            throw refuse("is a counter without _total at its end, or a gauge with it", "name")
        }
        guard sample.value.isFinite, !sample.counter || sample.value >= 0 else {
            throw refuse("is not finite, or takes from a counter", "value")
        }
        guard sample.labels.count <= labelsPerSample,
            sample.labels.allSatisfy({ isName($0.key) && !ownLabels.contains($0.key) && $0.value.utf8.count <= 128 })
        else { throw refuse("has too many labels, a label with a bad name, or a value over 128 bytes", "labels") }
    }

    private static func isName(_ name: String) -> Bool {
        guard (1...64).contains(name.utf8.count), let first = name.utf8.first, (0x61...0x7a).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
    }
}
