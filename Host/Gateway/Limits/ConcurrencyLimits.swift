// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Requests of a rate class at once, such as sign-ins, each of which costs a processor for a while.
final class ConcurrencyLimits: Sendable {
    /// A place among those of a class; given back when it is let go of.
    final class Place: Sendable {
        private let counter: Counter

        fileprivate init(_ counter: Counter) { self.counter = counter }

        deinit { counter.taken.subtract(1, ordering: .relaxed) }
    }

    fileprivate final class Counter: Sendable {
        let most: Int
        let taken = Atomic<Int>(0)

        init(most: Int) { self.most = most }
    }

    /// Whether there is a place.
    enum Outcome {
        case unlimited
        case place(Place)
        case full
    }

    private let counters: [String: Counter]

    init(_ rates: [String: GatewayConfiguration.Rate]) {
        counters = rates.filter { $0.value.concurrent > 0 }.mapValues { Counter(most: $0.concurrent) }
    }

    /// Takes a place in a class.
    func take(_ rateClass: String) -> Outcome {
        guard !counters.isEmpty, let counter = counters[rateClass] else { return .unlimited }
        guard counter.taken.add(1, ordering: .relaxed).newValue <= counter.most else {
            counter.taken.subtract(1, ordering: .relaxed)
            return .full
        }
        return .place(Place(counter))
    }
}
