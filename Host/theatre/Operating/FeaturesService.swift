// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Registry
import Runtime
import Services
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatreManifest

/// `theatre.host.v1.Features`: what features are bound to, and how those are who serve them, for routes of an instance that
/// has the grant `operate`.
final class FeaturesService: HostService {
    /// The contract's full name.
    let contract = "theatre.host.v1.Features"
    /// The gateway calls it for a route.
    let servesRoutes = true
    private let book: HealthBook
    private let table = Mutex<RoutingTable?>(nil)

    /// - Parameter book: what calls found.
    init(book: HealthBook) { self.book = book }

    /// What serves from now on.
    func use(_ table: RoutingTable) { self.table.withLock { $0 = table } }

    /// Serves one call; see ``HostService``.
    func serve(_ operation: String, _ call: any HostCall) {
        switch operation {
        case "Health":
            call.answer(HostFeatureHealthRequest.self) { _ throws(CallError) in
                try self.check(call)
                return HostFeatureHealth.with { $0.items = self.book.reports().map(\.message) }
            }
        case "Matrix":
            call.answer(HostFeatureMatrixRequest.self) { request throws(CallError) in try self.matrix(request, call) }
        case "Explain":
            call.answer(HostExplainFeatureRequest.self) { request throws(CallError) in try self.explain(request, call) }
        default: call.failUnknown(operation, of: contract)
        }
    }

    private func matrix(
        _ request: HostFeatureMatrixRequest, _ call: any HostCall
    ) throws(CallError) -> HostFeatureMatrix {
        let table = try serving(call)
        let all = table.featureNames.sorted().compactMap { table.explain($0) }
        return HostFeatureMatrix.with { matrix in
            matrix.items = all.filter { request.capability.isEmpty || $0.capability == request.capability }.map {
                $0.card(table, health(for: $0.capability))
            }
        }
    }

    private func explain(
        _ request: HostExplainFeatureRequest, _ call: any HostCall
    ) throws(CallError) -> HostFeatureExplanation {
        let table = try serving(call), asker = call.context.message
        guard request.tenant.isEmpty || request.tenant == asker.tenant || asker.tenant == "default" else {
            throw CallError(
                .permissionDenied, "features.other_tenant", "Calls of another tenant are not yours to explain.",
                detail: "/tenant")
        }
        var attributes = RouteAttributes()
        attributes.tenant = request.tenant.isEmpty ? asker.tenant : request.tenant
        attributes.project = request.project
        attributes.locale = request.locale
        attributes.region = request.region
        attributes.currency = request.currency
        attributes.channel = request.channel
        attributes.amount = request.hasAmount ? request.amount : nil
        attributes.key = request.key.isEmpty ? asker.principal : request.key
        guard let explanation = table.explain(request.feature, attributes) else {
            let hint =
                nearestMatch(to: request.feature, among: table.featureNames).map { "; did you mean \($0)?" } ?? "."
            throw CallError(
                .notFound, "features.unknown", "No plugin of this deployment needs \(request.feature)\(hint)",
                detail: "/feature")
        }
        return explanation.message(health(for: explanation.capability))
    }

    private func serving(_ call: any HostCall) throws(CallError) -> RoutingTable {
        try check(call)
        guard let table = table.withLock({ $0 }) else {
            throw CallError(.unavailable, "features.not_ready", "The host does not serve yet.", retry: .safe)
        }
        return table
    }

    private func check(_ call: any HostCall) throws(CallError) {
        guard call.instance.grants.operates else {
            throw CallError(
                .permissionDenied, "plugins.not_granted",
                "Instance \(call.instance.instance) may not look into routing; grant it `operate: true` in plugins.d.")
        }
    }

    /// By profile.
    private func health(for capability: String) -> [String: HealthReport] {
        let reports = book.reports().filter { $0.capability == capability }
        return Dictionary(reports.map { ($0.profile, $0) }) { first, _ in first }
    }
}
