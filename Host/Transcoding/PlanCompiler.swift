// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts

/// Compiles messages and all they hold into plans.
struct PlanCompiler {
    let catalog: ContractCatalog
    var plans: [MessagePlan] = []
    private var indexes: [String: Int] = [:]

    init(catalog: ContractCatalog) { self.catalog = catalog }

    mutating func plan(for name: String) throws(CatalogError) -> Int {
        if let index = indexes[name] { return index }
        guard let message = catalog.message(name) else { throw catalog.unknown(name) }
        guard message.isProto3, message.fields.count <= FieldMask.capacity else {
            throw CatalogError(
                code: "contract.unsupported",
                message: "\(name) is not proto3 or has more than \(FieldMask.capacity) fields.")
        }
        let index = plans.count
        indexes[name] = index
        plans.append(MessagePlan())
        var plan = MessagePlan()
        for (position, field) in message.fields.enumerated() {
            plan.fields.append(try compile(field, of: message))
            if field.rules.required { plan.required.insert(position) }
        }
        plans[index] = plan
        return index
    }

    private mutating func compile(_ field: FieldDescription, of message: MessageDescription) throws(CatalogError)
        -> FieldPlan
    {
        var siblings = FieldMask()
        if let oneof = field.oneof {
            for (index, other) in message.fields.enumerated() where other.oneof == oneof { siblings.insert(index) }
        }
        let kind = try kind(of: field, message)
        let isMessage = if case .message = kind { true } else { false }
        let rules = field.rules
        return FieldPlan(
            name: field.name, nameBytes: Array(field.name.utf8), jsonKey: Array("\"\(field.name)\":".utf8),
            number: UInt32(field.number), kind: kind, isRepeated: field.isRepeated,
            hasPresence: field.hasPresence || field.oneof != nil || (isMessage && !field.isRepeated), oneof: siblings,
            oneofName: field.oneof.map { message.oneofs[$0] } ?? "", isRequired: rules.required, isSecret: rules.secret,
            isNullable: rules.nullable, minLength: Int(rules.minLength), maxLength: Int(rules.maxLength),
            minimum: rules.hasMin ? rules.min : nil, maximum: rules.hasMax ? rules.max : nil,
            values: rules.values.map { Array($0.utf8) })
    }

    private mutating func kind(of field: FieldDescription, _ message: MessageDescription) throws(CatalogError) -> Kind {
        switch field.type {
        case .double: return .double
        case .float: return .float
        case .int32: return .int32
        case .int64: return field.rules.timestamp ? .timestamp : .int64
        case .uint32: return .uint32
        case .uint64: return .uint64
        case .sint32: return .sint32
        case .sint64: return .sint64
        case .fixed32: return .fixed32
        case .fixed64: return .fixed64
        case .sfixed32: return .sfixed32
        case .sfixed64: return .sfixed64
        case .bool: return .bool
        case .string: return field.rules.json ? .json : .string
        case .bytes: return .bytes
        case .message(let name):
            let index = try plan(for: name)
            return catalog.message(name)?.isMapEntry == true ? .map(index) : .message(index)
        case .enumeration(let name):
            guard let description = catalog.enumeration(name) else { throw catalog.unknown(name) }
            return .enumeration(EnumPlan(description))
        case .group:
            throw CatalogError(
                code: "contract.unsupported",
                message: "\(message.name).\(field.name) is a group, which has no JSON form.")
        }
    }
}
