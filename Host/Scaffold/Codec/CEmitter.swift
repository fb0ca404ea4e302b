// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Transcoding

/// Structs, and the tables that `wire_read.c` and `wire_write.c` go by.
struct CEmitter {
    private let contract: Contract
    private let names: TypeNames

    init(_ contract: Contract) {
        self.contract = contract
        names = TypeNames(contract)
    }

    var header: String {
        """
        /* \(Codec.notice(contract))
         * SPDX-License-Identifier: Apache-2.0
         */
        #ifndef MESSAGES_H
        #define MESSAGES_H

        #include "wire.h"

        \(contract.enums.map(enumeration).joined(separator: "\n"))
        \(contract.messages.map { "typedef struct \(names[$0.name]) \(names[$0.name]);\n" }.joined())
        \(contract.messages.map(structure).joined(separator: "\n"))
        #endif

        """
    }

    var source: String {
        """
        /* \(Codec.notice(contract))
         * SPDX-License-Identifier: Apache-2.0
         */
        #include "messages.h"

        \(contract.messages.map(table).joined(separator: "\n"))
        """
    }

    private func enumeration(_ entry: EnumDescription) -> String {
        let type = names[entry.name]
        let prefix = Words(type).constant
        let values = entry.values.map { "    \(prefix)_\($0.name) = \($0.number),\n" }.joined()
        return "typedef int32_t \(type); /* open: other values come through */\nenum {\n\(values)};\n"
    }

    private func structure(_ message: MessageDescription) -> String {
        var lines: [String] = []
        for (index, oneof) in message.oneofs.enumerated() {
            let members = message.fields.filter { $0.oneof == index }
            guard !members.isEmpty else { continue }
            let name = Self.safe(oneof)
            lines.append("uint32_t \(name)_case; /* number of the member that is set, or 0 */")
            lines.append("union {")
            lines += members.map { "    \(type($0)) \(Self.safe($0.name)); /* \($0.number) */" }
            lines.append("} \(name);")
        }
        for field in message.fields where field.oneof == nil {
            let name = Self.safe(field.name)
            if field.isRepeated {
                lines.append("\(element(field)) *\(name);")
                lines.append("size_t \(name)_count;")
            } else {
                if hasMark(field) { lines.append("bool has_\(name);") }
                lines.append("\(type(field)) \(name);")
            }
        }
        // An empty struct is no C.
        if lines.isEmpty { lines.append("uint8_t nothing;") }
        let own = names[message.name]
        let comment = message.comment.isEmpty ? "" : "/* \(message.comment.replacing("*/", with: "* /")) */\n"
        return
            "\(comment)struct \(own) {\n\(lines.map { "    \($0)\n" }.joined())};\nextern const wire_type \(own)_type;\n"
    }

    private func table(_ message: MessageDescription) -> String {
        let type = names[message.name]
        let rows = message.fields.map { row($0, message) }
        let fields = rows.isEmpty ? "" : "static const wire_field \(type)_fields[] = {\n\(rows.joined())};\n"
        return """
            \(fields)const wire_type \(type)_type = {"\(message.name)", \(rows.isEmpty ? "NULL" : "\(type)_fields"), \(rows.count), sizeof(\(type))};

            """
    }

    private func row(_ field: FieldDescription, _ message: MessageDescription) -> String {
        let type = names[message.name]
        let name = Self.safe(field.name)
        var (label, offset, mark) = ("SINGLE", name, "0")
        if message.isMapEntry {
            label = "ALWAYS"
        } else if let index = field.oneof {
            let oneof = Self.safe(message.oneofs[index])
            (label, offset, mark) = ("ONEOF", "\(oneof).\(name)", "offsetof(\(type), \(oneof)_case)")
        } else if field.isRepeated {
            (label, mark) = (isMap(field) ? "MAP" : "REPEATED", "offsetof(\(type), \(name)_count)")
        } else if hasMark(field) {
            (label, mark) = ("OPTIONAL", "offsetof(\(type), has_\(name))")
        }
        return
            "    {\(field.number), offsetof(\(type), \(offset)), \(mark), WIRE_\(Self.kind(field.type)), WIRE_\(label), \(reference(field))},\n"
    }

    private func reference(_ field: FieldDescription) -> String {
        if case .message(let name) = field.type { return "&\(names[name])_type" }
        return "NULL"
    }

    private func isMap(_ field: FieldDescription) -> Bool {
        if case .message(let name) = field.type { return contract.message(name)?.isMapEntry == true }
        return false
    }

    /// A message says by its pointer whether it is there.
    private func hasMark(_ field: FieldDescription) -> Bool {
        if case .message = field.type { return false }
        return field.hasPresence
    }

    private func type(_ field: FieldDescription) -> String {
        if case .message(let name) = field.type { return "\(names[name]) *" }
        return element(field)
    }

    private func element(_ field: FieldDescription) -> String {
        switch field.type {
        case .double: "double"
        case .float: "float"
        case .int32, .sint32, .sfixed32: "int32_t"
        case .int64, .sint64, .sfixed64: "int64_t"
        case .uint32, .fixed32: "uint32_t"
        case .uint64, .fixed64: "uint64_t"
        case .bool: "bool"
        case .string, .bytes, .group: "theatre_bytes"
        case .message(let name), .enumeration(let name): names[name]
        }
    }

    static func kind(_ type: FieldType) -> String {
        switch type {
        case .message: "MESSAGE"
        case .enumeration: "ENUM"
        case .group: "BYTES"
        default: "\(type)".uppercased()
        }
    }

    static func safe(_ name: String) -> String { reserved.contains(name) ? name + "_" : name }

    private static let reserved: Set<String> = [
        "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
        "float",
        "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof",
        "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "bool", "true",
        "false",
    ]
}
