// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatreManifest

/// Why descriptor sets make no catalog, or a message no transcoder.
public struct CatalogError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Stable code: `contract.malformed`, `contract.conflict`, `contract.unknown`, `contract.unsupported`.
    public let code: String
    /// One sentence.
    public let message: String

    /// `contract.unknown: …`.
    public var description: String { "\(code): \(message)" }
}

/// The contracts of a deployment: services, their operations and messages, out of serialized descriptor sets.
public struct ContractCatalog: Sendable {
    /// By name.
    public let services: [ServiceDescription]
    let messages: [String: MessageDescription]
    let enums: [String: EnumDescription]
    private let operations: [String: OperationDescription]

    /// Reads `FileDescriptorSet`s. A file may be in several, if it is the same in each but for its comments.
    ///
    /// - Parameter comments: Whether to read them too, where the sets carry them. Serving needs none, and they are most
    ///   of what there is to read.
    /// - Throws: `CatalogError` `contract.malformed` or `contract.conflict`.
    public init(descriptorSets: [[UInt8]], comments: Bool) throws(CatalogError) {
        var files: [String: Google_Protobuf_FileDescriptorProto] = [:]
        for bytes in descriptorSets {
            let set: Google_Protobuf_FileDescriptorSet
            do {
                set = try Google_Protobuf_FileDescriptorSet(
                    serializedBytes: comments ? bytes : try SourceInfo.removed(from: bytes),
                    extensions: OptionsOptions_Extensions)
            } catch {
                throw CatalogError(code: "contract.malformed", message: "The bytes are not a descriptor set: \(error).")
            }
            for file in set.file { try Self.add(file, to: &files) }
        }
        var reading = DescriptorReading()
        for name in files.keys.sorted() { if let file = files[name] { reading.read(file) } }
        messages = reading.messages
        enums = reading.enums
        services = reading.services.sorted { $0.name < $1.name }
        operations = Dictionary(
            services.flatMap { $0.operations.map { ($0.name, $0) } }, uniquingKeysWith: { first, _ in first })
    }

    private static func add(
        _ file: Google_Protobuf_FileDescriptorProto, to files: inout [String: Google_Protobuf_FileDescriptorProto]
    ) throws(CatalogError) {
        guard let known = files[file.name] else {
            files[file.name] = file
            return
        }
        var (a, b) = (known, file)
        a.clearSourceCodeInfo()
        b.clearSourceCodeInfo()
        guard a == b else {
            throw CatalogError(
                code: "contract.conflict",
                message: "\(file.name) differs between two plugins; build them against the same contracts.")
        }
        if file.sourceCodeInfo.location.count > known.sourceCodeInfo.location.count { files[file.name] = file }
    }

    /// The service of that full name, `theatre.orders.v1.Orders`.
    public func service(_ name: String) -> ServiceDescription? { services.first { $0.name == name } }

    /// The operation of that full name, `theatre.orders.v1.Orders/CreateOrder`.
    public func operation(_ name: String) -> OperationDescription? { operations[name] }

    /// The message of that full name, `theatre.orders.v1.Order`.
    public func message(_ name: String) -> MessageDescription? { messages[name] }

    /// The enum of that full name.
    public func enumeration(_ name: String) -> EnumDescription? { enums[name] }

    /// A transcoder for the message of that full name. Make it once; it costs about as much as reading a hundred messages.
    ///
    /// - Throws: `CatalogError` `contract.unknown` with the nearest name, or `contract.unsupported`.
    public func transcoder(for message: String) throws(CatalogError) -> MessageTranscoder {
        var compiler = PlanCompiler(catalog: self)
        _ = try compiler.plan(for: message)
        return MessageTranscoder(message: message, plans: compiler.plans)
    }

    func unknown(_ message: String) -> CatalogError {
        let near = nearestMatch(to: message, among: messages.keys).map { "; did you mean \($0)?" } ?? "."
        return CatalogError(code: "contract.unknown", message: "No message is named \(message)\(near)")
    }
}
