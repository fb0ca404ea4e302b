// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// A call to somebody outside as it is stored: what it used and what that cost.
struct UsageRow: Sendable {
    var id: String
    var at: Int64
    var tenant: String
    var project: String
    var feature: String
    var caller: String
    var profile: String
    var instance: String
    var operation: String
    var model: String
    var run: String
    var stage: String
    /// Millionths of the currency's unit; nil where nobody said what it costs.
    var cost: Int64?
    var currency: String
    /// Of the error, or empty.
    var failure: String
    var microseconds: Int64
    var counts: [String: Int64]

    init(_ call: MeteredCall, id: String) {
        let context = call.context.message
        let attributes = (try? HostRouteAttributes(serializedBytes: call.attributes)) ?? HostRouteAttributes()
        let profile = call.profile
        self.id = call.usage.flatMap { $0.id.isEmpty ? nil : "\(profile.profile):\($0.id)" } ?? id
        at = call.at
        tenant = context.tenant
        project = context.project
        feature = profile.feature
        caller = profile.caller
        self.profile = profile.profile
        instance = profile.instance
        operation = profile.operation
        model = profile.model
        run = attributes.labels["run"] ?? ""
        stage = attributes.labels["stage"] ?? ""
        failure = call.error?.reason ?? ""
        microseconds = Int64(clamping: call.nanoseconds / 1000)
        counts = call.usage?.counts ?? [:]
        currency = profile.currency
        // An answer that does not say what it used is one nobody can price; a failure costs nothing that is known of.
        guard let usage = call.usage else {
            cost = call.error == nil ? nil : 0
            return
        }
        cost = profile.cost(of: usage)
    }

    /// Stores it; one that tells of work that is stored already changes nothing.
    var statements: [SQLStatement] {
        [
            SQLStatement(
                """
                INSERT INTO {usage} (id, at, tenant, project, feature, caller, profile, instance, operation, model, run,
                stage, cost, currency, failure, microseconds)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) ON CONFLICT DO NOTHING
                """,
                [
                    .text(id), .integer(at), .text(tenant), .text(project), .text(feature), .text(caller),
                    .text(profile), .text(instance), .text(operation), .text(model), .text(run), .text(stage),
                    cost.map { .integer($0) }, .text(currency), .text(failure),
                    .integer(microseconds),
                ])
        ]
            + counts.sorted { $0.key < $1.key }.map { unit, amount in
                SQLStatement(
                    """
                    INSERT INTO {usage_units} (tenant, id, unit, amount) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING
                    """, [.text(tenant), .text(id), .text(unit), .integer(amount)])
            }
    }
}

extension SQLStatement {
    init(_ sql: String, _ parameters: [SQLValue.OneOf_Kind?]) {
        self.init()
        self.sql = sql
        self.parameters = parameters.map { kind in SQLValue.with { $0.kind = kind } }
    }
}
