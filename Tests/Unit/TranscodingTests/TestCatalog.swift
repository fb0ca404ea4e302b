// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import Transcoding

/// All contracts of this repository, with comments, and a message of every type for the tests.
enum TestCatalog {
    static func load() throws -> ContractCatalog {
        try ContractCatalog(
            descriptorSets: [try contracts(), try Array(Data(everyType.serializedBytes() as [UInt8]))], comments: true)
    }

    static func contracts() throws -> [UInt8] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return Array(try Data(contentsOf: root.appending(path: "PluginAPI/Contracts/contracts.binpb")))
    }

    static func transcoder(_ message: String) throws -> MessageTranscoder { try load().transcoder(for: message) }

    private static var everyType: Google_Protobuf_FileDescriptorSet {
        typealias Field = Google_Protobuf_FieldDescriptorProto
        let types: [(String, Field.TypeEnum)] = [
            ("real", .double), ("small_real", .float), ("i32", .int32), ("i64", .int64), ("u32", .uint32),
            ("u64", .uint64),
            ("s32", .sint32), ("s64", .sint64), ("f32", .fixed32), ("f64", .fixed64), ("sf32", .sfixed32),
            ("sf64", .sfixed64), ("flag", .bool), ("text", .string), ("blob", .bytes),
        ]
        func field(_ name: String, _ number: Int, _ type: Field.TypeEnum, _ label: Field.Label = .optional) -> Field {
            var field = Field()
            (field.name, field.number, field.type, field.label) = (name, Int32(number), type, label)
            return field
        }
        var message = Google_Protobuf_DescriptorProto()
        message.name = "Every"
        for (index, (name, type)) in types.enumerated() {
            message.field.append(field(name, index + 1, type))
            message.field.append(field(name + "_list", index + 21, type, .repeated))
        }
        var json = field("document", 41, .string)
        json.options.Optionsfield.json = true
        var secret = field("secret", 42, .string)
        secret.options.Optionsfield.secret = true
        secret.options.Optionsfield.values = ["one", "two"]
        var inner = field("inner", 43, .message)
        inner.typeName = ".test.Every"
        var times = field("at", 44, .int64)
        times.options.Optionsfield.timestamp = true
        message.field += [json, secret, inner, times]
        var file = Google_Protobuf_FileDescriptorProto()
        (file.name, file.package, file.syntax) = ("test.proto", "test", "proto3")
        file.messageType = [message]
        var set = Google_Protobuf_FileDescriptorSet()
        set.file = [file]
        return set
    }
}

extension MessageTranscoder {
    func encode(
        text: String, path: [(name: String, value: String)] = [], query: [(name: String, value: String)] = []
    ) throws(TranscodingError) -> [UInt8] { try encode(Array(text.utf8), path: path, query: query) }

    func decodedText(_ bytes: [UInt8]) throws(TranscodingError) -> String {
        String(decoding: try decode(bytes), as: UTF8.self)
    }
}
