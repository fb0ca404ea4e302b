// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Logging
public import Runtime
internal import Synchronization
internal import TheatreContracts

/// Brings instances the events they consume: at least once, in the order of the log.
///
/// Strictly one after the other for each consumer, so each aggregate is in order; consumers do not wait for each other.
/// After an error the event comes again after 1 s, doubling to 60 s. A cursor moves when everything up to it was taken.
public final class EventPump: Sendable {
    private let caller: UnaryCaller
    private let storage: String
    private let clock: any ServiceClock
    private let log: Logger
    private let runs = Mutex<[EventConsumer: EventRun]>([:])

    /// A pump over the log of the storage instance `storage`.
    public convenience init(calls: any CallStarting, storage: String, clock: any ServiceClock, log: Logger) {
        self.init(DispatchedCalls(calls: calls), storage: storage, clock: clock, log: log)
    }

    init(_ calls: any UnaryCalling, storage: String, clock: any ServiceClock, log: Logger) {
        caller = UnaryCaller(calls: calls)
        self.storage = storage
        self.clock = clock
        self.log = log
    }

    /// Serves exactly these consumers from now on: begins new ones, ends those that are gone.
    public func serve(_ consumers: Set<EventConsumer>) {
        let (begun, ended) = runs.withLock { runs in
            let ended = runs.filter { !consumers.contains($0.key) }
            var begun: [EventRun] = []
            for consumer in ended.keys { runs[consumer] = nil }
            for consumer in consumers where runs[consumer] == nil {
                let run = EventRun(consumer, caller, storage, clock, log)
                runs[consumer] = run
                begun.append(run)
            }
            return (begun, Array(ended.values))
        }
        for run in ended { run.stop {} }
        for run in begun { run.start() }
    }

    /// Delivers no more; `then` is called once every delivery under way has ended and the cursors are stored.
    public func stop(_ then: @escaping @Sendable () -> Void) {
        let all = runs.withLock { runs in
            defer { runs = [:] }
            return Array(runs.values)
        }
        guard !all.isEmpty else { return then() }
        let left = Remaining(all.count, then)
        for run in all { run.stop { left.arrive() } }
    }

    /// Deliveries by consumer and outcome, and how far each got.
    public func metrics() -> [MetricFamily] {
        let all = runs.withLock { Array($0.values) }
        return [
            MetricFamily(
                "theatre_event_deliveries_total", .counter, "Events handed to consumers, by outcome.",
                all.flatMap(\.deliveries)),
            MetricFamily(
                "theatre_event_consumer_offset", .gauge, "Offset up to which a consumer has taken everything.",
                all.map { MetricSample(["instance": $0.consumer.instance], Double($0.offset)) }),
        ]
    }
}
