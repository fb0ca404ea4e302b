// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Transcoding

/// Structs, and the list of fields of each that `wire.zig` goes by.
struct ZigEmitter {
    private let contract: Contract
    private let names: TypeNames

    init(_ contract: Contract) {
        self.contract = contract
        names = TypeNames(contract)
    }

    var source: String {
        """
        //! \(Codec.notice(contract))
        //! SPDX-License-Identifier: Apache-2.0

        const Field = @import("wire.zig").Field;

        \(contract.enums.map(enumeration).joined(separator: "\n"))
        \(contract.messages.map(structure).joined(separator: "\n"))
        """
    }

    private func enumeration(_ entry: EnumDescription) -> String {
        var seen: Set<Int32> = []
        let values = entry.values.filter { seen.insert($0.number).inserted }
            .map { "    \(Self.safe($0.name.lowercased())) = \($0.number),\n" }.joined()
        return "\(Self.comment(entry.comment, ""))pub const \(names[entry.name]) = enum(i32) {\n\(values)    _,\n};\n"
    }

    private func structure(_ message: MessageDescription) -> String {
        let fields = message.fields.filter { $0.oneof == nil }.map {
            Self.comment($0.comment, "    ")
                + "    \(Self.safe($0.name)): \(type($0, message)) = \(initial($0, message)),\n"
        }
        let oneofs = message.oneofs.enumerated().compactMap { index, oneof -> String? in
            let members = message.fields.filter { $0.oneof == index }
            guard !members.isEmpty else { return nil }
            let list = members.map { "        \(Self.safe($0.name)): \(element($0, pointer: true)),\n" }.joined()
            return "    \(Self.safe(oneof)): ?union(enum) {\n\(list)    } = null,\n"
        }
        let rows = message.fields.map { row($0, message) }
        let table = rows.isEmpty ? "[_]Field{}" : "[_]Field{\n\(rows.joined())    }"
        return """
            \(Self.comment(message.comment, ""))pub const \(names[message.name]) = struct {
            \((fields + oneofs).joined())
                pub const fields = \(table);
            };

            """
    }

    private func row(_ field: FieldDescription, _ message: MessageDescription) -> String {
        var parts = [".name = \"\(field.name)\"", ".number = \(field.number)", ".kind = .\(Self.kind(field.type))"]
        if message.isMapEntry {
            parts.append(".label = .always")
        } else if let oneof = field.oneof {
            parts += [".label = .oneof", ".oneof = \"\(message.oneofs[oneof])\""]
        } else if isMap(field) {
            parts.append(".label = .map")
        } else if field.isRepeated {
            parts.append(".label = .repeated")
        } else if isOptional(field) {
            parts.append(".label = .optional")
        }
        return "        .{ \(parts.joined(separator: ", ")) },\n"
    }

    private func isMap(_ field: FieldDescription) -> Bool {
        if case .message(let name) = field.type { return contract.message(name)?.isMapEntry == true }
        return false
    }

    private func isOptional(_ field: FieldDescription) -> Bool {
        if case .message = field.type { return true }
        return field.hasPresence
    }

    private func type(_ field: FieldDescription, _ message: MessageDescription) -> String {
        if field.isRepeated { return "[]\(element(field, pointer: false))" }
        if case .message = field.type { return element(field, pointer: true) }
        return (field.hasPresence ? "?" : "") + element(field, pointer: true)
    }

    private func initial(_ field: FieldDescription, _ message: MessageDescription) -> String {
        if field.isRepeated { return "&.{}" }
        if isOptional(field) { return "null" }
        switch field.type {
        case .string, .bytes, .group: return "\"\""
        case .bool: return "false"
        case .enumeration: return "@enumFromInt(0)"
        default: return "0"
        }
    }

    private func element(_ field: FieldDescription, pointer: Bool) -> String {
        switch field.type {
        case .double: "f64"
        case .float: "f32"
        case .int32, .sint32, .sfixed32: "i32"
        case .int64, .sint64, .sfixed64: "i64"
        case .uint32, .fixed32: "u32"
        case .uint64, .fixed64: "u64"
        case .bool: "bool"
        case .string, .bytes, .group: "[]const u8"
        case .message(let name): (pointer ? "?*" : "") + names[name]
        case .enumeration(let name): names[name]
        }
    }

    private static func kind(_ type: FieldType) -> String {
        switch type {
        case .message: "message"
        case .enumeration: "enumeration"
        case .group: "bytes"
        default: "\(type)"
        }
    }

    static func safe(_ name: String) -> String {
        reserved.contains(name) || name.first?.isNumber == true ? "@\"\(name)\"" : name
    }

    private static func comment(_ text: String, _ indent: String) -> String {
        text.split(separator: "\n").map { "\(indent)/// \($0)\n" }.joined()
    }

    private static let reserved: Set<String> = [
        "addrspace", "align", "allowzero", "and", "anyframe", "anytype", "asm", "async", "await", "break", "callconv",
        "catch",
        "comptime", "const", "continue", "defer", "else", "enum", "errdefer", "error", "export", "extern", "fn", "for",
        "if",
        "inline", "linksection", "noalias", "noinline", "nosuspend", "opaque", "or", "orelse", "packed", "pub",
        "resume",
        "return", "struct", "suspend", "switch", "test", "threadlocal", "try", "union", "unreachable", "usingnamespace",
        "var",
        "volatile", "while", "bool", "type", "null", "true", "false", "undefined", "fields",
    ]
}
