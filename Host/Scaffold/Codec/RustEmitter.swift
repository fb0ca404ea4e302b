// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Transcoding

/// Structs, and the fields of each for `wire.rs`.
struct RustEmitter {
    private let contract: Contract
    private let names: TypeNames

    init(_ contract: Contract) {
        self.contract = contract
        names = TypeNames(contract)
    }

    var source: String {
        """
        // \(Codec.notice(contract))
        // SPDX-License-Identifier: Apache-2.0

        use crate::wire::{self, Message, Outcome, Reader};
        use std::collections::BTreeMap;

        \(Self.prelude)
        \(contract.enums.map(enumeration).joined(separator: "\n"))
        \(contract.messages.filter { !$0.isMapEntry }.map(structure).joined(separator: "\n"))
        """
    }

    /// Not every contract has a map.
    private static let prelude = """
        #[allow(dead_code)]
        type Map<K, V> = BTreeMap<K, V>;

        """

    private func enumeration(_ entry: EnumDescription) -> String {
        let type = name(entry.name)
        let values = entry.values.map { "    pub const \(Self.constant($0.name)): \(type) = \(type)(\($0.number));\n" }
            .joined()
        return """
            \(Self.comment(entry.comment, ""))#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
            pub struct \(type)(pub i32);

            impl \(type) {
            \(values)}

            impl From<i32> for \(type) {
                fn from(value: i32) -> Self {
                    \(type)(value)
                }
            }

            impl From<\(type)> for i32 {
                fn from(value: \(type)) -> i32 {
                    value.0
                }
            }

            """
    }

    private func structure(_ message: MessageDescription) -> String {
        let type = name(message.name)
        let fields = message.fields.filter { $0.oneof == nil }.map {
            Self.comment($0.comment, "    ") + "    pub \(Self.safe($0.name)): \(fieldType($0)),\n"
        }
        let oneofs = self.oneofs(of: message)
        let choices = oneofs.map { "    pub \(Self.safe($0.name)): Option<\($0.type)>,\n" }
        let reads = message.fields.map { "            \($0.number) => \(read($0, oneofs)),\n" }
        let writes = message.fields.map { "        \(write($0, oneofs))\n" }
        return """
            \(oneofs.map(choice).joined())\(Self.comment(message.comment, ""))#[derive(Clone, Debug, Default, PartialEq)]
            pub struct \(type) {
            \(fields.joined())\(choices.joined())}

            #[allow(unused_variables)]
            impl Message for \(type) {
                fn read(&mut self, number: u32, format: u32, input: &mut Reader) -> Outcome<bool> {
                    match number {
            \(reads.joined())            _ => Ok(false),
                    }
                }

                fn write(&self, out: &mut Vec<u8>) {
            \(writes.joined())    }
            }

            """
    }

    // MARK: Oneofs

    private struct Oneof {
        let index: Int
        let name: String
        let type: String
        let members: [FieldDescription]
    }

    private func oneofs(of message: MessageDescription) -> [Oneof] {
        message.oneofs.enumerated().compactMap { index, oneof in
            let members = message.fields.filter { $0.oneof == index }
            guard !members.isEmpty else { return nil }
            let type = name(message.name) + Words(oneof).pascal + "Choice"
            return Oneof(index: index, name: oneof, type: type, members: members)
        }
    }

    private func choice(_ oneof: Oneof) -> String {
        let members = oneof.members.map { "    \(Words($0.name).pascal)(\(value($0, boxed: true))),\n" }.joined()
        return "#[derive(Clone, Debug, PartialEq)]\npub enum \(oneof.type) {\n\(members)}\n\n"
    }

    // MARK: Fields

    private func read(_ field: FieldDescription, _ oneofs: [Oneof]) -> String {
        let place = "self.\(Self.safe(field.name))"
        if let oneof = oneofs.first(where: { $0.index == field.oneof }) {
            let (choice, member) = ("self.\(Self.safe(oneof.name))", "\(oneof.type)::\(Words(field.name).pascal)")
            let kind = kind(field, boxed: true)
            return """
                {
                                if format != <\(kind) as wire::Kind>::FORMAT {
                                    return Ok(false);
                                }
                                let mut value = match \(choice).take() {
                                    Some(\(member)(value)) => value,
                                    _ => Default::default(),
                                };
                                <\(kind) as wire::Kind>::read(&mut value, input)?;
                                \(choice) = Some(\(member)(value));
                                Ok(true)
                            }
                """
        }
        if let (key, value) = entry(field) {
            return "wire::map::<\(kind(key, boxed: false)), \(kind(value, boxed: false))>(&mut \(place), format, input)"
        }
        if field.isRepeated { return "wire::repeated::<\(kind(field, boxed: false))>(&mut \(place), format, input)" }
        return
            "wire::\(isOptional(field) ? "optional" : "single")::<\(kind(field, boxed: true))>(&mut \(place), format, input)"
    }

    private func write(_ field: FieldDescription, _ oneofs: [Oneof]) -> String {
        let place = "self.\(Self.safe(field.name))"
        let number = field.number
        if let oneof = oneofs.first(where: { $0.index == field.oneof }) {
            return """
                if let Some(\(oneof.type)::\(Words(field.name).pascal)(value)) = &self.\(Self.safe(oneof.name)) {
                            wire::put::<\(kind(field, boxed: true))>(\(number), value, out);
                        }
                """
        }
        if let (key, value) = entry(field) {
            return
                "wire::put_map::<\(kind(key, boxed: false)), \(kind(value, boxed: false))>(\(number), &\(place), out);"
        }
        if field.isRepeated { return "wire::put_repeated::<\(kind(field, boxed: false))>(\(number), &\(place), out);" }
        return
            "wire::put_\(isOptional(field) ? "optional" : "single")::<\(kind(field, boxed: true))>(\(number), &\(place), out);"
    }

    private func entry(_ field: FieldDescription) -> (FieldDescription, FieldDescription)? {
        guard case .message(let name) = field.type, let entry = contract.message(name), entry.isMapEntry,
            entry.fields.count == 2
        else { return nil }
        return (entry.fields[0], entry.fields[1])
    }

    private func isOptional(_ field: FieldDescription) -> Bool {
        if case .message = field.type { return true }
        return field.hasPresence
    }

    private func fieldType(_ field: FieldDescription) -> String {
        if let (key, value) = entry(field) {
            return "Map<\(self.value(key, boxed: false)), \(self.value(value, boxed: false))>"
        }
        if field.isRepeated { return "Vec<\(value(field, boxed: false))>" }
        return isOptional(field) ? "Option<\(value(field, boxed: true))>" : value(field, boxed: true)
    }

    private func value(_ field: FieldDescription, boxed: Bool) -> String {
        switch field.type {
        case .double: "f64"
        case .float: "f32"
        case .int32, .sint32, .sfixed32: "i32"
        case .int64, .sint64, .sfixed64: "i64"
        case .uint32, .fixed32: "u32"
        case .uint64, .fixed64: "u64"
        case .bool: "bool"
        case .string: "String"
        case .bytes, .group: "Vec<u8>"
        case .message(let inner): boxed ? "Box<\(name(inner))>" : name(inner)
        case .enumeration(let inner): name(inner)
        }
    }

    private func kind(_ field: FieldDescription, boxed: Bool) -> String {
        switch field.type {
        case .string: "wire::Text"
        case .bytes, .group: "wire::Octets"
        case .message(let inner): "wire::\(boxed ? "Boxed" : "Nested")<\(name(inner))>"
        case .enumeration(let inner): "wire::Enumeration<\(name(inner))>"
        default: "wire::" + Words("\(field.type)").pascal
        }
    }

    private func name(_ full: String) -> String {
        let short = names[full]
        return Self.taken.contains(short) ? short + "_" : short
    }

    // MARK: Names

    static func typeName(_ short: String) -> String { taken.contains(short) ? short + "_" : short }

    static func safe(_ name: String) -> String { reserved.contains(name) ? name + "_" : name }

    private static func constant(_ name: String) -> String { name.first?.isNumber == true ? "_\(name)" : name }

    private static func comment(_ text: String, _ indent: String) -> String {
        text.split(separator: "\n").map { "\(indent)/// \($0)\n" }.joined()
    }

    /// Types that the generated code uses itself.
    private static let taken: Set<String> = [
        "Box", "BTreeMap", "Default", "From", "Map", "Message", "Option", "Outcome", "Reader", "Result", "Self", "Some",
        "None",
        "Ok", "Err", "State", "Call", "Error", "String", "Vec",
    ]

    private static let reserved: Set<String> = [
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
        "enum",
        "extern", "false", "final", "fn", "for", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
        "mut",
        "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true", "try", "type",
        "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "gen",
    ]
}
