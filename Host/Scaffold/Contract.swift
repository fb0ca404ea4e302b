// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
internal import SwiftProtobuf
internal import TheatreContracts
internal import TheatreManifest
public import Transcoding

/// The contract that a plugin provides, with every message it needs.
public struct Contract: Sendable {
    /// The service.
    public let service: ServiceDescription
    /// Its messages, those they refer to, and the host's own, by name; inner messages before those that hold them where
    /// they do not hold each other.
    public let messages: [MessageDescription]
    /// The enums of those messages, by name.
    public let enums: [EnumDescription]
    /// The `FileDescriptorSet` that the plugin carries: the contract's file and what it imports.
    public let descriptors: Data
    private let byName: [String: MessageDescription]

    /// What plugins read of the host beside their contract.
    static let hostMessages = ["theatre.host.v1.Context"]

    /// Finds a contract.
    ///
    /// - Parameters:
    ///   - name: full name, `theatre.http.v1.Handler`, or as much of its end as is unique: `http.Handler`, `Handler`.
    ///   - sets: serialized `FileDescriptorSet`s, the first to hold a file wins.
    /// - Throws: `ScaffoldError`, `CatalogError`.
    public init(_ name: String, in sets: [Data]) throws {
        let catalog = try ContractCatalog(descriptorSets: sets.map(Array.init), comments: true)
        service = try Self.service(name, catalog)
        let roots = service.operations.flatMap { [$0.input, $0.output] } + Self.hostMessages
        var reach = Reach(catalog: catalog)
        for root in roots where catalog.message(root) != nil { try reach.visit(root) }
        messages = reach.messages
        enums = reach.enums.sorted { $0.name < $1.name }
        byName = Dictionary(messages.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        descriptors = try DescriptorSubset.make(of: service.name, from: sets)
    }

    /// A message by its full name.
    func message(_ name: String) -> MessageDescription? { byName[name] }

    /// The package of the service: `theatre.http.v1`.
    var package: String { String(service.name[..<(service.name.lastIndex(of: ".") ?? service.name.startIndex)]) }

    private static func service(_ name: String, _ catalog: ContractCatalog) throws -> ServiceDescription {
        if let exact = catalog.service(name) { return exact }
        let wanted = words(name)
        let found = catalog.services.filter {
            words($0.name).suffix(wanted.count) == wanted[...] || $0.name.hasSuffix("." + name)
        }
        let provided = found.filter { !isHostService($0) }
        if let only = provided.first, provided.count == 1 { return only }
        if provided.isEmpty {
            let short = catalog.services.map { ($0.name, shortened($0.name)) }
            let near =
                nearestMatch(to: name, among: short.flatMap { [$0.0, $0.1] })
                .flatMap { found in short.first { $0.0 == found || $0.1 == found }?.0 }.map { "; did you mean \($0)?" }
                ?? ""
            throw ScaffoldError("No contract is named \(name)\(near)")
        }
        let names = provided.map(\.name).joined(separator: ", ")
        throw ScaffoldError("\(name) could be \(names); write the full name")
    }

    /// Lower-case words without `theatre` and the version.
    private static func words(_ name: String) -> [String] {
        name.split(separator: ".").map { $0.lowercased() }.filter {
            $0 != "theatre" && $0.wholeMatch(of: #/v[0-9]+/#) == nil
        }
    }

    /// `http.Handler` of `theatre.http.v1.Handler`.
    private static func shortened(_ name: String) -> String {
        name.split(separator: ".").filter { $0 != "theatre" && $0.wholeMatch(of: #/v[0-9]+/#) == nil }
            .joined(separator: ".")
    }

    /// What the host serves is for no plugin to provide.
    private static func isHostService(_ service: ServiceDescription) -> Bool {
        service.name.hasPrefix("theatre.host.v1.")
            && !["theatre.host.v1.Target", "theatre.host.v1.Handover"].contains(service.name)
    }
}

/// The messages and enums that can be reached from some.
private struct Reach {
    let catalog: ContractCatalog
    var messages: [MessageDescription] = []
    var enums: [EnumDescription] = []
    private var seen: Set<String> = []

    init(catalog: ContractCatalog) { self.catalog = catalog }

    mutating func visit(_ name: String) throws {
        guard seen.insert(name).inserted else { return }
        guard let message = catalog.message(name) else { throw ScaffoldError("No message is named \(name)") }
        guard message.isProto3 else { throw ScaffoldError("\(name) is not proto3; contracts are") }
        for field in message.fields {
            switch field.type {
            case .message(let inner): try visit(inner)
            case .enumeration(let inner):
                guard seen.insert(inner).inserted else { continue }
                guard let entry = catalog.enumeration(inner) else { throw ScaffoldError("No enum is named \(inner)") }
                enums.append(entry)
            default: continue
            }
        }
        messages.append(message)
    }
}
