// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc

/// How long faults are sought, and with which dice. `make soak` says more than `make test`.
public struct FaultPlan: Sendable {
    /// The parts that go on for a share of the time, and their shares of a hundred.
    public enum Part: String, Sendable {
        case killsOfSQLite = "kills on SQLite"
        case killsOfPostgreSQL = "kills on PostgreSQL"
        case killsOfTwo = "kills of one of two hosts"
        case lostServers = "lost servers"
        case killsUnderBlobs = "kills under blobs"
        case cutsOfSQLite = "power cuts of SQLite"
        case cutsOfBlobs = "power cuts of blobs"
        case transfers = "histories of transfers"

        var share: Int {
            switch self {
            case .killsOfSQLite, .killsOfPostgreSQL: 20
            case .killsOfTwo, .lostServers: 15
            case .killsUnderBlobs, .cutsOfSQLite: 10
            case .cutsOfBlobs, .transfers: 5
            }
        }
    }

    /// Kills of each engine at least.
    public let kills: Int
    /// Kills of two hosts on one database at least: each is followed by a look at what the other does.
    public var killsOfTwo: Int { max(3, kills / 5) }
    /// Goes on at least this long, all parts together.
    public let minutes: Int
    /// Chooses every instant and order.
    public let seed: UInt64

    /// From `THEATRE_FAULT_KILLS`, `THEATRE_FAULT_MINUTES` (of all parts together) and `THEATRE_FAULT_SEED`.
    public static let current: FaultPlan = {
        let environment = ProcessInfo.processInfo.environment
        func number(_ name: String) -> Int? { environment["THEATRE_FAULT_\(name)"].flatMap { Int($0) } }
        return FaultPlan(
            kills: number("KILLS") ?? 25, minutes: number("MINUTES") ?? 0,
            seed: number("SEED").map { UInt64(truncatingIfNeeded: $0) } ?? 0x5EED)
    }()

    /// How long a part goes on at least.
    public func duration(of part: Part) -> Duration { .seconds(minutes * 60 * part.share / 100) }
}

/// One part under way: until when it goes on, and a line now and then that says how far it is.
public struct FaultProgress: Sendable {
    private let part: FaultPlan.Part
    private let plan: FaultPlan
    /// How long it goes on at least.
    private let duration: Duration
    private let clock = ContinuousClock()
    private let began: ContinuousClock.Instant
    private var told: ContinuousClock.Instant

    /// Begins, and says with which seed. Of a part that is in several, each has its share of the time.
    public init(_ part: FaultPlan.Part, _ plan: FaultPlan = .current, dividedBy parts: Int = 1) {
        (self.part, self.plan) = (part, plan)
        duration = plan.duration(of: part) / parts
        began = clock.now
        told = began
        say("seed \(plan.seed), for \(duration)")
    }

    /// Whether time is left.
    public var goesOn: Bool { clock.now - began < duration }

    /// Says how far it is where that was not said for half a minute.
    public mutating func tell(_ figures: @autoclosure () -> String) {
        guard clock.now - told >= .seconds(30) else { return }
        told = clock.now
        say("\(figures()) after \(clock.now - began) of \(duration)")
    }

    /// Says what came of it.
    public func end(_ figures: String) { say("\(figures); seed \(plan.seed), \(clock.now - began)") }

    private func say(_ text: String) {
        print("\(part.rawValue): \(text)")
        // Whoever reads along sees it now.
        fflush(nil)
    }
}
