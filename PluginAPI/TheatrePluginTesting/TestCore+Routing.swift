// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import TheatreManifest
internal import TheatrePlugin

extension TestCore {
    /// The instance and the operation a name leads to: a fake, an instance named after `@`, or a route.
    func target(_ name: String, from caller: TestSlot) throws -> (TestSlot, UInt32) {
        if let fake = state.withLock({ $0.fakes[name] }) { return (fake, 0) }
        let feature = Manifest.owner(of: name)
        let operation = String(name.dropFirst(feature.count + 1))
        let (instance, capability) = try place(feature, name, from: caller)
        guard let slot = state.withLock({ $0.slots[instance] }), let manifest = slot.manifest else {
            throw PluginError(
                .unavailable, "test.no_instance", "No instance \(instance) is installed in this TestHost.")
        }
        let found = manifest.operations.enumerated().filter { _, candidate in
            if let capability { return candidate == "\(capability)/\(operation)" }
            return candidate.hasSuffix("/\(operation)")
        }
        guard let first = found.first else {
            throw PluginError(.unimplemented, "test.no_operation", "\(instance) has no operation for \(name).")
        }
        guard found.count == 1 else {
            throw PluginError(
                .failedPrecondition, "test.ambiguous_operation",
                "\(name) may be \(found.map(\.element).joined(separator: " or ")); route the feature with its capability."
            )
        }
        return (slot, UInt32(first.offset))
    }

    private func place(_ feature: String, _ name: String, from caller: TestSlot) throws -> (String, String?) {
        if let at = feature.lastIndex(of: "@") {
            return (String(feature[feature.index(after: at)...]), String(feature[..<at]))
        }
        guard let route = state.withLock({ $0.routes[feature] }) else {
            throw PluginError(
                .unavailable, "route.unrouted",
                "\(name) leads nowhere: route \(feature) to an instance or serve \(name) in this TestHost.")
        }
        let need = caller.manifest?.needs.first { $0.feature == feature }
        return (route.instance, need?.capability ?? route.capability)
    }
}
