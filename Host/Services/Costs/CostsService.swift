// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// `theatre.host.v1.Costs`: what calls to those outside used and cost, for routes of an instance that has the grant `operate`.
public struct CostsService: HostService {
    /// The contract's full name.
    public let contract = "theatre.host.v1.Costs"
    /// The gateway calls it for a route.
    public let servesRoutes = true
    private let caller: UnaryCaller
    private let storage: String
    private let now: @Sendable () -> Int64

    /// A service over the storage instance `storage`.
    ///
    /// - Parameter now: milliseconds since 1970.
    public init(calls: any CallStarting, storage: String, now: @escaping @Sendable () -> Int64) {
        self.init(DispatchedCalls(calls: calls), storage: storage, now: now)
    }

    init(_ calls: any UnaryCalling, storage: String, now: @escaping @Sendable () -> Int64) {
        caller = UnaryCaller(calls: calls)
        self.storage = storage
        self.now = now
    }

    /// Serves one call; see ``HostService``.
    public func serve(_ operation: String, _ call: any HostCall) {
        guard operation == "List" else { return call.failUnknown(operation, of: contract) }
        do throws(CallError) {
            guard call.instance.grants.operates else {
                throw CallError(
                    .permissionDenied, "plugins.not_granted",
                    "Instance \(call.instance.instance) may not look into costs; grant it `operate: true` in plugins.d."
                )
            }
            try list(
                try CostQuery(
                    try call.decode(HostListCostsRequest.self), tenant: call.context.message.tenant, now: now()), call)
        } catch {
            call.fail(error)
        }
    }

    private func list(_ query: CostQuery, _ call: any HostCall) throws(CallError) {
        rows(query.sums, call) { sums in
            rows(query.units, call) { units in
                let groups = CostQuery.groups(sums: sums, units: units)
                do throws(CallError) {
                    call.complete(try encoded(HostListCostsResponse.with { $0.items = groups }))
                } catch {
                    call.fail(error)
                }
            }
        }
    }

    private func rows(_ request: SQLQueryRequest, _ call: any HostCall, _ then: @escaping @Sendable ([SQLRow]) -> Void)
    {
        caller.call(storage, "theatre.sql.v1.Database/Query", request, .system, deadline: call.deadline) {
            (result: Result<SQLRows, CallError>) in
            switch result {
            case .success(let rows): then(rows.rows)
            case .failure(let error): call.fail(error)
            }
        }
    }
}
