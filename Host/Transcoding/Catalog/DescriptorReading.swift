// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts

/// Collects descriptions out of file descriptors.
struct DescriptorReading {
    var messages: [String: MessageDescription] = [:]
    var enums: [String: EnumDescription] = [:]
    var services: [ServiceDescription] = []
    private var comments: [[Int32]: String] = [:]

    mutating func read(_ file: Google_Protobuf_FileDescriptorProto) {
        comments = Dictionary(
            file.sourceCodeInfo.location.map { ($0.path, Self.trimmed($0.leadingComments)) },
            uniquingKeysWith: { first, _ in first })
        let package = file.package.isEmpty ? "" : file.package + "."
        for (index, message) in file.messageType.enumerated() {
            read(message, package, [4, Int32(index)], file.syntax == "proto3")
        }
        for (index, entry) in file.enumType.enumerated() { read(entry, package, [5, Int32(index)]) }
        for (index, service) in file.service.enumerated() { read(service, package, [6, Int32(index)]) }
    }

    private mutating func read(
        _ message: Google_Protobuf_DescriptorProto, _ prefix: String, _ path: [Int32], _ isProto3: Bool
    ) {
        let name = prefix + message.name
        let fields = message.field.enumerated().map { field($0.element, path + [2, Int32($0.offset)]) }
        messages[name] = MessageDescription(
            name: name, comment: comments[path] ?? "", fields: fields.sorted { $0.number < $1.number },
            oneofs: message.oneofDecl.map(\.name), isMapEntry: message.options.mapEntry, isProto3: isProto3)
        for (index, inner) in message.nestedType.enumerated() {
            read(inner, name + ".", path + [3, Int32(index)], isProto3)
        }
        for (index, entry) in message.enumType.enumerated() { read(entry, name + ".", path + [4, Int32(index)]) }
    }

    private func field(_ field: Google_Protobuf_FieldDescriptorProto, _ path: [Int32]) -> FieldDescription {
        FieldDescription(
            name: field.name, comment: comments[path] ?? "", number: field.number, type: Self.type(field),
            isRepeated: field.label == .repeated, hasPresence: field.proto3Optional,
            oneof: field.hasOneofIndex && !field.proto3Optional ? Int(field.oneofIndex) : nil,
            rules: field.options.Optionsfield)
    }

    private static func type(_ field: Google_Protobuf_FieldDescriptorProto) -> FieldType {
        let name = String(field.typeName.drop { $0 == "." })
        return switch field.type {
        case .double: .double
        case .float: .float
        case .int32: .int32
        case .int64: .int64
        case .uint32: .uint32
        case .uint64: .uint64
        case .sint32: .sint32
        case .sint64: .sint64
        case .fixed32: .fixed32
        case .fixed64: .fixed64
        case .sfixed32: .sfixed32
        case .sfixed64: .sfixed64
        case .bool: .bool
        case .string: .string
        case .bytes: .bytes
        case .message: .message(name)
        case .enum: .enumeration(name)
        case .group: .group
        }
    }

    private mutating func read(_ entry: Google_Protobuf_EnumDescriptorProto, _ prefix: String, _ path: [Int32]) {
        let typePrefix = Self.constantCase(entry.name) + "_"
        let strips = entry.value.allSatisfy { $0.name.hasPrefix(typePrefix) && $0.name.count > typePrefix.count }
        enums[prefix + entry.name] = EnumDescription(
            name: prefix + entry.name, comment: comments[path] ?? "",
            values: entry.value.enumerated().map { index, value in
                let name = strips ? String(value.name.dropFirst(typePrefix.count)) : value.name
                return EnumDescription.Value(
                    name: name, comment: comments[path + [2, Int32(index)]] ?? "", number: value.number)
            })
    }

    private mutating func read(_ service: Google_Protobuf_ServiceDescriptorProto, _ prefix: String, _ path: [Int32]) {
        let name = prefix + service.name
        let capability = service.options.Optionscapability
        services.append(
            ServiceDescription(
                name: name, comment: comments[path] ?? "",
                operations: service.method.enumerated().map { index, method in
                    operation(method, name, path + [2, Int32(index)])
                },
                attributes: capability.attributes.map {
                    AttributeDescription(name: $0.name, type: $0.type, meaning: $0.meaning)
                },
                many: capability.many, external: capability.hasExternal ? capability.external : nil))
    }

    private func operation(
        _ method: Google_Protobuf_MethodDescriptorProto, _ service: String, _ path: [Int32]
    ) -> OperationDescription {
        let options = method.options.Optionsoperation
        return OperationDescription(
            name: "\(service)/\(method.name)", comment: comments[path] ?? "",
            input: String(method.inputType.drop { $0 == "." }), output: String(method.outputType.drop { $0 == "." }),
            isClientStreaming: method.clientStreaming, isServerStreaming: method.serverStreaming,
            sideEffect: options.sideEffect, reconcile: options.reconcile, freeOfEffects: options.freeOfEffects,
            optional: options.optional, holdsTransaction: options.holdsTransaction, hostOnly: options.hostOnly,
            defaultTimeoutMilliseconds: options.defaultTimeoutMs, usage: options.usage, usageID: options.usageID)
    }

    private static func trimmed(_ comment: String) -> String {
        comment.split(separator: "\n").map { $0.drop { $0 == " " } }.joined(separator: "\n")
    }

    /// `OrderStatus` is `ORDER_STATUS`, `HTTPKind` is `HTTP_KIND`.
    static func constantCase(_ name: String) -> String {
        let letters = Array(name)
        var result = ""
        for (index, letter) in letters.enumerated() {
            let startsWord =
                index > 0 && letter.isUppercase
                && (!letters[index - 1].isUppercase || (index + 1 < letters.count && letters[index + 1].isLowercase))
            if startsWord { result.append("_") }
            result += letter.uppercased()
        }
        return result
    }
}
