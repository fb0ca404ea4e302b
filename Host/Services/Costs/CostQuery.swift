// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Runtime
internal import SwiftProtobuf
public import TheatreContracts
internal import TheatreSchedules

/// Sums over stored usage.
public struct CostQuery: Sendable {
    /// Calls, failures and costs of each group.
    public let sums: SQLQueryRequest
    /// What each group used.
    public let units: SQLQueryRequest

    /// Milliseconds of a day.
    private static let day: Int64 = 86_400_000
    /// Days that a request without a beginning goes back.
    private static let days: Int64 = 30

    /// What a group is by its name at the edge.
    private static let columns = [
        "provider": "instance", "profile": "profile", "model": "model", "feature": "feature",
        "operation": "operation", "project": "project", "run": "run", "stage": "stage",
        "day": "at - at % \(day)",
    ]

    /// The queries of a request.
    ///
    /// - Parameter now: milliseconds since 1970.
    /// - Throws: `costs.bad_group`, `costs.bad_time`.
    public init(_ request: HostListCostsRequest, tenant: String, now: Int64) throws(CallError) {
        guard let column = Self.columns[request.groupBy] else {
            throw CallError(
                .invalidArgument, "costs.bad_group",
                "Costs are not grouped by \(request.groupBy); one of \(Self.columns.keys.sorted().joined(separator: ", ")) is expected.",
                detail: "/group_by")
        }
        let to = request.to == 0 ? now + 1 : request.to
        let from = request.from == 0 ? to - Self.days * Self.day : request.from
        guard from < to else {
            throw CallError(
                .invalidArgument, "costs.bad_time", "The time ends before it begins; `from` is to be before `to`.",
                detail: "/to")
        }
        var parameters: [SQLValue.OneOf_Kind] = [.text(tenant), .integer(from), .integer(to)]
        var place = "u.tenant = ?1 AND u.at >= ?2 AND u.at < ?3"
        if !request.project.isEmpty {
            parameters.append(.text(request.project))
            place += " AND u.project = ?4"
        }
        sums = Self.query(
            """
            SELECT \(column) AS part, u.currency, COUNT(*), CAST(SUM(CASE WHEN u.failure = '' THEN 0 ELSE 1 END) AS BIGINT),
            CAST(COALESCE(SUM(u.cost), 0) AS BIGINT), CAST(SUM(CASE WHEN u.cost IS NULL THEN 1 ELSE 0 END) AS BIGINT)
            FROM {usage} AS u WHERE \(place) GROUP BY part, u.currency
            ORDER BY 5 DESC, part LIMIT 1000
            """, parameters)
        units = Self.query(
            """
            SELECT \(column) AS part, u.currency, n.unit, CAST(SUM(n.amount) AS BIGINT)
            FROM {usage} AS u JOIN {usage_units} AS n ON n.tenant = u.tenant AND n.id = u.id
            WHERE \(place) GROUP BY part, u.currency, n.unit ORDER BY n.unit LIMIT 10000
            """, parameters)
    }

    /// Rows of both queries as groups.
    public static func groups(sums: [SQLRow], units: [SQLRow]) -> [HostCostGroup] {
        var used: [String: [HostUsedUnit]] = [:]
        for row in units {
            let values = row.values.map(\.kind)
            guard values.count == 4, let part = name(values[0]), case .text(let currency)? = values[1],
                case .text(let unit)? = values[2], case .integer(let amount)? = values[3]
            else { continue }
            used["\(part)\n\(currency)", default: []].append(
                HostUsedUnit.with {
                    $0.unit = unit
                    $0.amount = amount
                })
        }
        return sums.compactMap { row in
            let values = row.values.map(\.kind)
            guard values.count == 6, let part = name(values[0]), case .text(let currency)? = values[1] else {
                return nil
            }
            let numbers = values[2...].map { kind in if case .integer(let number)? = kind { number } else { Int64(0) } }
            return HostCostGroup.with { group in
                group.group = part
                group.currency = currency
                group.calls = numbers[0]
                group.failed = numbers[1]
                group.costMicros = numbers[2]
                group.unpriced = numbers[3]
                group.units = used["\(part)\n\(currency)"] ?? []
            }
        }
    }

    private static func name(_ value: SQLValue.OneOf_Kind?) -> String? {
        switch value {
        case .text(let text)?: text
        case .integer(let start)?: CivilDay(number: start / day).iso
        default: nil
        }
    }

    private static func query(_ sql: String, _ parameters: [SQLValue.OneOf_Kind]) -> SQLQueryRequest {
        SQLQueryRequest.with { $0.statement = SQLStatement(sql, parameters) }
    }
}
