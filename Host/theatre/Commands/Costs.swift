// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Runtime
import Services
import SwiftProtobuf
import TheatreContracts
import TheatreManifest

/// `theatre costs`.
struct Costs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sum up what calls to those outside used and cost, beside a running host or without one.",
        discussion: "Without --from, the thirty days before --to. A running host stores what it spent within a second.")

    /// What a group of calls has in common.
    enum Group: String, ExpressibleByArgument, CaseIterable {
        case provider, profile, model, feature, operation, project, run, stage, day
    }

    @Option(help: "What each group has in common.") var groupBy = Group.provider
    @Option(help: "Only of this project.") var project = ""
    @OptionGroup var span: Audit.Span
    @OptionGroup var options: OperatorOptions

    func run() throws {
        try options.run { runtime in
            let request = HostListCostsRequest.with {
                $0.groupBy = groupBy.rawValue
                $0.project = project
                $0.from = span.from?.milliseconds ?? 0
                $0.to = span.to?.milliseconds ?? 0
            }
            let query = try CostQuery(
                request, tenant: span.tenant.isEmpty ? "default" : span.tenant,
                now: Int64(Date().timeIntervalSince1970 * 1000))
            let groups = CostQuery.groups(
                sums: try Self.rows(query.sums, runtime), units: try Self.rows(query.units, runtime))
            if options.json { return try Printing.json(.array(groups.map(Self.json))) }
            var table = TextTable([groupBy.rawValue, "calls", "failed", "cost", "unpriced", "used"])
            for group in groups {
                table.add([
                    group.group.isEmpty ? "-" : group.group, "\(group.calls)", "\(group.failed)", Self.cost(group),
                    "\(group.unpriced)", group.units.map { "\($0.amount) \($0.unit)" }.joined(separator: ", "),
                ])
            }
            print(table.text)
        }
    }

    private static func rows(_ request: SQLQueryRequest, _ runtime: OperatorRuntime) throws(CallError) -> [SQLRow] {
        let rows: SQLRows = try runtime.call("theatre.sql.v1.Database/Query", request)
        return rows.rows
    }

    /// `0.001250 USD`.
    private static func cost(_ group: HostCostGroup) -> String {
        let digits = String(group.costMicros)
        let padded = String(repeating: "0", count: max(0, 7 - digits.count)) + digits
        return "\(padded.dropLast(6)).\(padded.suffix(6))\(group.currency.isEmpty ? "" : " \(group.currency)")"
    }

    private static func json(_ group: HostCostGroup) -> JSONValue {
        .object([
            "group": .string(group.group), "currency": .text(group.currency), "calls": .integer(group.calls),
            "failed": .integer(group.failed), "cost_micros": .integer(group.costMicros),
            "unpriced": .integer(group.unpriced),
            "units": .object(
                Dictionary(group.units.map { ($0.unit, .integer($0.amount)) }, uniquingKeysWith: { first, _ in first })),
        ])
    }
}
