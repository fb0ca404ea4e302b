// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension RoutingTable {
    /// Everything a feature's calls may be sent to first, in the order of its route.
    public func bindings(of feature: FeatureID) -> [Binding] {
        features[feature.index].units.flatMap { $0.members.map(\.binding) }
    }

    /// Where every call of the feature goes, if it is always the same; nil where it depends on the call or there is none.
    public func onlyBinding(of feature: FeatureID) -> Binding? {
        let compiled = features[feature.index]
        guard let first = compiled.units.first, first.conditions == RouteConditions(), first.members.count == 1 else {
            return nil
        }
        return first.members[0].binding
    }
}
