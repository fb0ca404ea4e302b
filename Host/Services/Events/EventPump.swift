// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Logging
public import Runtime
internal import Synchronization
internal import TheatreContracts

/// Brings instances the events they consume: at least once, in order within each aggregate, those of different aggregates
/// at once.
///
/// After an error an event comes again after 1 s, doubling to 60 s, and holds up its aggregate only; refused for good, or
/// as often as its consumer allows, it is set aside as a dead letter. A cursor moves when everything up to it was taken or
/// set aside. Of several hosts on one database, one delivers to a consumer at a time: the one that has its lease.
public final class EventPump: Sendable {
    /// Time between looks at what other processes did to cursors and dead letters, in milliseconds.
    static let pollInterval: Int64 = 1000

    /// How long a delivery may take to heed its cancellation, in milliseconds.
    static let grace: Int64 = 2000

    private let parts: EventParts
    private let runs = Mutex<[EventConsumer: EventRun]>([:])
    private let polling = Mutex(Polling())

    private struct Polling {
        var isOn = false
        var pending: (any PendingWake)?
    }

    /// A pump over the log of the storage instance `storage`.
    ///
    /// - Parameter holder: this host's name, the same after a restart and no other's.
    public convenience init(
        calls: any CallStarting, storage: String, clock: any ServiceClock, holder: String, log: Logger
    ) {
        self.init(DispatchedCalls(calls: calls), storage: storage, clock: clock, holder: holder, log: log)
    }

    init(
        _ calls: any UnaryCalling, storage: String, clock: any ServiceClock, holder: String = "test", log: Logger
    ) {
        parts = EventParts(
            caller: UnaryCaller(calls: calls), storage: storage, clock: clock, holder: holder, log: log)
    }

    /// Serves exactly these consumers from now on: begins new ones, ends those that are gone. One that changed begins
    /// when it has ended as it was.
    public func serve(_ consumers: Set<EventConsumer>) {
        let (begun, ended, later) = runs.withLock { runs in
            let ended = runs.filter { !consumers.contains($0.key) }
            var begun: [EventRun] = []
            var later: [String: EventRun] = [:]
            for consumer in ended.keys { runs[consumer] = nil }
            for consumer in consumers where runs[consumer] == nil {
                let run = EventRun(consumer, parts)
                runs[consumer] = run
                if ended.keys.contains(where: { $0.instance == consumer.instance }) {
                    later[consumer.instance] = run
                } else {
                    begun.append(run)
                }
            }
            return (begun, Array(ended.values), later)
        }
        for run in ended {
            let next = later[run.consumer.instance]
            run.stop { next?.start() }
        }
        for run in begun { run.start() }
        poll(!consumers.isEmpty)
    }

    /// Delivers no more. Deliveries under way may end within `drain` milliseconds, then they are cancelled; `then` is
    /// called when all is still and the cursors are stored.
    public func stop(drain: Int64, _ then: @escaping @Sendable () -> Void) {
        poll(false)
        let all = runs.withLock { runs in
            defer { runs = [:] }
            return Array(runs.values)
        }
        guard !all.isEmpty else { return then() }
        let over = parts.clock.wake(after: drain) { for run in all { run.giveUp() } }
        let grace = parts.clock.wake(after: drain + Self.grace) { for run in all { run.abandon() } }
        let left = Remaining(all.count) {
            over.cancel()
            grace.cancel()
            then()
        }
        for run in all { run.stop { left.arrive() } }
    }

    /// Looks at what other processes did, now.
    public func look() {
        guard polling.withLock({ $0.isOn }) else { return }
        parts.caller.call(
            parts.storage, "theatre.events.v1.Log/ListConsumers", EventsListConsumersRequest(), .system
        ) { [self] (result: Result<EventsListConsumersResponse, CallError>) in
            switch result {
            case .success(let response): compare(response.consumers)
            case .failure(let error): parts.log.debug("consumers cannot be listed", metadata: error.metadata)
            }
            lookLater()
        }
    }

    private func compare(_ consumers: [EventsConsumerStatus]) {
        let known = Dictionary(consumers.map { ($0.consumer, $0) }) { first, _ in first }
        for run in runs.withLock({ Array($0.values) }) {
            // One without a cursor stands at 0.
            run.compare(known[run.consumer.cursor] ?? EventsConsumerStatus())
        }
    }

    private func poll(_ isOn: Bool) {
        let (changed, pending) = polling.withLock { polling in
            defer { polling.isOn = isOn }
            return (polling.isOn != isOn, polling.pending)
        }
        guard changed else { return }
        if isOn { lookLater() } else { pending?.cancel() }
    }

    private func lookLater() {
        let wake = parts.clock.wake(after: Self.pollInterval) { [weak self] in self?.look() }
        let isOn = polling.withLock { polling in
            polling.pending = wake
            return polling.isOn
        }
        if !isOn { wake.cancel() }
    }

    /// Deliveries by consumer and outcome, and how far each got.
    public func metrics() -> [MetricFamily] {
        let all = runs.withLock { Array($0.values) }
        func samples(_ body: ([String: String], EventRun.Counts) -> [MetricSample]) -> [MetricSample] {
            all.flatMap { run in
                run.counts.flatMap { body(["instance": run.consumer.instance, "generation": "\($0)"], $1) }
            }
        }
        return [
            MetricFamily(
                "theatre_event_deliveries_total", .counter, "Events handed to consumers, by outcome.",
                samples { labels, counts in
                    [("succeeded", counts.succeeded), ("failed", counts.failed)].map { outcome, count in
                        MetricSample(labels.merging(["outcome": outcome]) { $1 }, Double(count))
                    }
                }),
            MetricFamily(
                "theatre_event_dead_letters_total", .counter,
                "Events set aside because a consumer refused them for good.",
                samples { [MetricSample($0, Double($1.setAside))] }),
            MetricFamily(
                "theatre_event_consumer_offset", .gauge, "Offset up to which a consumer has taken everything.",
                all.map {
                    MetricSample(
                        ["instance": $0.consumer.instance, "generation": "\($0.generation)"], Double($0.offset))
                }),
        ]
    }
}
