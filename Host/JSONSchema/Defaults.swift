// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

extension SchemaNode {
    func applyingDefaults(to value: JSONValue, _ nodes: [SchemaNode]) -> JSONValue {
        var value = value
        if let reference { value = nodes[reference].applyingDefaults(to: value, nodes) }
        for case .all(let children) in rules {
            for child in children { value = nodes[child].applyingDefaults(to: value, nodes) }
        }
        switch value {
        case .object(var members):
            for (name, node) in object.properties where members[name] == nil {
                members[name] = nodes[node].ownDefault(nodes)
            }
            for (name, member) in members {
                guard let node = object.properties[name] ?? object.additional else { continue }
                members[name] = nodes[node].applyingDefaults(to: member, nodes)
            }
            return .object(members)
        case .array(let values):
            return .array(
                values.enumerated().map { index, element in
                    guard let node = index < elements.prefix.count ? elements.prefix[index] : elements.rest else {
                        return element
                    }
                    return nodes[node].applyingDefaults(to: element, nodes)
                })
        default: return value
        }
    }

    /// Its own default, else that of what it refers to. References that go round in place were refused at load.
    private func ownDefault(_ nodes: [SchemaNode]) -> JSONValue? {
        defaultValue ?? reference.flatMap { nodes[$0].ownDefault(nodes) }
    }
}
