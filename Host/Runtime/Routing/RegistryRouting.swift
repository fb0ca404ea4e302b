// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Registry
internal import SwiftProtobuf
internal import TheatreContracts
internal import TheatreManifest

/// Answers the dispatcher's question "who serves this call" out of a compiled routing table.
///
/// Everything that does not depend on the call is looked up when the table is made: an entry for each port and each
/// index of its `calls`.
public final class RegistryRouting: Routing {
    private let table: RoutingTable
    private let ports: [String: InstancePort]
    private let health: HealthBook?
    private let meter: (any CallMeter)?
    private let entries: [ObjectIdentifier: [Entry?]]

    /// What is known of one call of one port.
    private struct Entry: Sendable {
        let feature: FeatureID
        let name: String
        let operation: String
        let allowsFallback: Bool
        /// Where every call goes to the same place.
        let fixed: Resolution?
        /// By the binding's identity.
        let resolutions: [ObjectIdentifier: Resolution]
    }

    /// Binds a table to the ports that serve.
    ///
    /// - Parameters:
    ///   - health: of profiles that stand for somebody outside; nil where nobody watches them.
    ///   - meter: told what calls to them used.
    public init(
        table: RoutingTable, ports: [String: InstancePort], health: HealthBook? = nil, meter: (any CallMeter)? = nil
    ) {
        self.table = table
        self.ports = ports
        self.health = health
        self.meter = meter
        entries = Dictionary(
            ports.values.map { port in
                (
                    ObjectIdentifier(port),
                    port.calls.map {
                        Self.entry($0, of: port, table: table, ports: ports, health: health, meter: meter)
                    }
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    /// The book, and what it is to know of one contract.
    private struct Watch {
        let book: HealthBook
        let meter: (any CallMeter)?
        let feature: String
        let capability: String
        let faults: [String: FaultClass]

        func health(of profile: String, servedBy identity: InstanceIdentity) -> ProfileHealth {
            book.health(of: profile, for: capability, servedBy: identity, faults: faults)
        }

        func metered(
            _ profile: ProfileDeclaration, _ operation: PortOperation, for caller: InstancePort
        ) -> MeteredProfile? {
            guard let meter, let layout = operation.traits.usage else { return nil }
            return MeteredProfile(
                feature: feature, caller: caller.identity.instance, profile: profile, operation: operation.name,
                layout: layout, meter: meter)
        }
    }

    /// The candidates for one call, as the table decides it.
    public func resolve(_ query: borrowing RouteQuery) -> Resolution {
        guard let entry = entry(query.caller, query.call) else { return .unavailable(Self.unrouted(query.feature)) }
        if let fixed = entry.fixed { return fixed }
        let stated: RouteAttributes
        do { stated = try attributes(query) } catch {
            return .unavailable(
                CallError(
                    .invalidArgument, "route.bad_attributes",
                    "The call's attributes are no theatre.host.v1.RouteAttributes: \(error)."))
        }
        switch table.resolve(entry.feature, stated) {
        case .to(let binding):
            return entry.resolutions[ObjectIdentifier(binding)] ?? .unavailable(Self.unrouted(entry.name))
        case .unmatched:
            return .unavailable(
                CallError(
                    .unavailable, "route.unmatched",
                    "No candidate of the route of \(entry.name) takes this call; see `theatre explain \(entry.name)`."))
        case .unrouted: return .unavailable(Self.unrouted(entry.name))
        }
    }

    /// A generation that was replaced is in no table any more, but what it still serves may call on: its entries are made
    /// when asked for.
    private func entry(_ caller: InstancePort, _ call: Int) -> Entry? {
        if let calls = entries[ObjectIdentifier(caller)] { return calls.indices.contains(call) ? calls[call] : nil }
        guard caller.calls.indices.contains(call) else { return nil }
        return Self.entry(caller.calls[call], of: caller, table: table, ports: ports, health: health, meter: meter)
    }

    /// The candidate of a feature with one binding and no fallback.
    public func fixed(caller: InstancePort, call: Int) -> RouteCandidate? {
        guard let calls = entries[ObjectIdentifier(caller)], calls.indices.contains(call),
            case .single(let candidate)? = calls[call]?.fixed, candidate.health == nil
        else { return nil }
        return candidate
    }

    private func attributes(_ query: borrowing RouteQuery) throws -> RouteAttributes {
        let stated = try HostRouteAttributes(serializedBytes: UnsafeRawBufferPointer(query.attributes))
        let context = query.context.message
        var attributes = RouteAttributes()
        attributes.tenant = context.tenant
        attributes.project = context.project
        attributes.locale = stated.locale.isEmpty ? context.locale : stated.locale
        attributes.region = stated.region
        attributes.currency = stated.currency
        attributes.channel = stated.channel
        attributes.amount = stated.hasAmount ? stated.amount : nil
        attributes.key = stated.key.isEmpty ? context.principal : stated.key
        return attributes
    }

    private static func entry(
        _ call: PortCall, of caller: InstancePort, table: RoutingTable, ports: [String: InstancePort],
        health: HealthBook?, meter: (any CallMeter)?
    ) -> Entry? {
        guard case .feature(let name, let operation, _) = call.target, let feature = table.feature(name) else {
            return nil
        }
        let allowsFallback = table.allowsFallback(feature)
        let watch = table.external(feature).flatMap { faults in
            health.map {
                Watch(
                    book: $0, meter: meter, feature: name, capability: table.capability(of: feature), faults: faults)
            }
        }
        var resolutions: [ObjectIdentifier: Resolution] = [:]
        for binding in table.bindings(of: feature) {
            resolutions[ObjectIdentifier(binding)] = resolution(
                binding, operation, allowsFallback, caller, ports, watch)
        }
        let only = table.onlyBinding(of: feature)
        return Entry(
            feature: feature, name: name, operation: operation, allowsFallback: allowsFallback,
            fixed: only.flatMap { resolutions[ObjectIdentifier($0)] }, resolutions: resolutions)
    }

    private static func resolution(
        _ binding: Binding, _ operation: String, _ allowsFallback: Bool, _ caller: InstancePort,
        _ ports: [String: InstancePort], _ watch: Watch?
    ) -> Resolution {
        let chain = [binding] + (allowsFallback ? binding.fallbacks : [])
        var candidates: [RouteCandidate] = []
        var skipped: [String] = []
        for link in chain {
            guard let port = ports[link.instance], let index = port.operation(named: operation) else {
                skipped.append("\(link.instance) does not serve")
                continue
            }
            candidates.append(
                RouteCandidate(
                    port: port, operation: index, profile: link.profile.name,
                    health: watch?.health(of: link.profile.name, servedBy: port.identity),
                    metered: watch?.metered(link.profile, port.operations[Int(index)], for: caller),
                    context: CallContext.fields(
                        of: caller.identity, profile: link.profile.name, parameters: parameters(link))))
        }
        guard let first = candidates.first else {
            return .unavailable(
                CallError(
                    .unavailable, "instance.closed", "\(skipped.joined(separator: "; ")); see `theatre plugins list`.",
                    retry: .safe))
        }
        return candidates.count == 1 && skipped.isEmpty
            ? .single(first) : .ordered(candidates, skipped: skipped.isEmpty ? nil : skipped.joined(separator: "; "))
    }

    /// The profile's parameters as JSON; empty where there are none.
    private static func parameters(_ binding: Binding) -> String {
        guard let members = binding.profile.parameters.object, !members.isEmpty,
            let json = try? binding.profile.parameters.json()
        else { return "" }
        return String(decoding: json, as: UTF8.self)
    }

    private static func unrouted(_ feature: String) -> CallError {
        CallError(
            .unavailable, "route.unrouted",
            "Nothing meets \(feature) in this deployment; add an instance or a route for it to plugins.d.")
    }
}
