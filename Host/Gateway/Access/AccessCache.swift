// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Standings and the projects of rows as one event loop knows them. Used on its loop only.
struct AccessCache {
    /// A standing is asked for again after so long, also where nobody told of a change: should the log of events be out of
    /// reach, what was taken from somebody does not stay his.
    static let milliseconds: Int64 = 30_000

    struct StandingKey: Hashable {
        let tenant: String
        let principal: String
        let project: String
    }

    struct RowKey: Hashable {
        let tenant: String
        let instance: String
        let parameter: String
        let id: String
    }

    private var standings = RecentValues<StandingKey, (standing: Standing, at: Int64)>(capacity: 16_384)
    /// Rows never change their project.
    private var rows = RecentValues<RowKey, String>(capacity: 16_384)
    private var epoch = 0

    /// The standing, if it was asked for since the last change and lately.
    mutating func standing(_ key: StandingKey, at now: Int64, epoch: Int) -> Standing? {
        if epoch != self.epoch {
            self.epoch = epoch
            standings.removeAll()
        }
        guard let known = standings[key], now - known.at < Self.milliseconds, now >= known.at else { return nil }
        // One role may end because another begins: that is asked for once.
        let end = known.standing.expiresAt
        guard end == 0 || now < end || known.at >= end else { return nil }
        return known.standing
    }

    /// Keeps a standing, unless something has changed since it was asked for.
    mutating func keep(_ standing: Standing, _ key: StandingKey, at now: Int64, epoch: Int, asked: Int) {
        guard epoch == asked, epoch == self.epoch else { return }
        standings.insert((standing, now), for: key)
    }

    mutating func project(_ key: RowKey) -> String? { rows[key] }

    mutating func keep(_ project: String, _ key: RowKey) { rows.insert(project, for: key) }
}
