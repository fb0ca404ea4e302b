// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc
internal import JSONSchema
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

/// The library under test, as a child process reads it.
struct Subject: Sendable {
    let file: PluginFile
    let catalog: ContractCatalog
    /// Of everything random in the check.
    let seed: UInt64
    /// A folder of the check's own, removed afterwards.
    let folder: String
    /// Complete: what the operator gave, and the schema's defaults.
    let configuration: JSONValue
    let isQuick: Bool

    /// An operation of the manifest with its contract.
    struct Operation: Sendable {
        let index: Int
        let name: String
        let description: OperationDescription
    }

    init(library: String, seed: UInt64, folder: String, configuration: JSONValue?, isQuick: Bool) throws {
        file = try PluginFile(name: Self.name(of: library), path: library)
        if let fault = file.fault { throw fault }
        catalog = try ContractCatalog(descriptorSets: [file.contracts], comments: false)
        self.seed = seed
        self.folder = folder
        self.isQuick = isQuick
        let samples = ConfigurationSamples(schema: file.manifest.configuration)
        self.configuration = try JSONSchema(file.manifest.configuration)
            .applyingDefaults(to: samples.completed(configuration ?? .object([:])))
    }

    /// `Ledger` of `…/libLedger.so`.
    static func name(of library: String) -> String {
        let last = library.split(separator: "/").last.map(String.init) ?? library
        guard last.hasPrefix("lib"), last.hasSuffix(".so") else { return last }
        return String(last.dropFirst(3).dropLast(3))
    }

    var manifest: Manifest { file.manifest }

    /// It may not run in the host's process: its checks are made with each instance in a process of its own.
    var isIsolatedOnly: Bool { !manifest.modes.contains("inproc") }

    /// Operations whose contract the library carries, in manifest order.
    var operations: [Operation] {
        manifest.operations.enumerated().compactMap { index, name in
            catalog.operation(name).map { Operation(index: index, name: name, description: $0) }
        }
    }

    /// A folder for an instance's state.
    func folder(of instance: String) throws -> String {
        let path = "\(folder)/\(instance)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    /// Takes away what an instance kept.
    func clearFolder(of instance: String) throws {
        let path = "\(folder)/\(instance)"
        // What ends there removes files of its own, and may do so while this looks at them.
        for attempt in 1...100 where FileManager.default.fileExists(atPath: path) {
            do { try FileManager.default.removeItem(atPath: path) } catch {
                guard attempt < 100 else { throw error }
                usleep(20_000)
            }
        }
    }

    /// The contract's operation behind an entry of the manifest's `calls`.
    func called(_ index: Int) -> (name: String, operation: OperationDescription?)? {
        guard manifest.calls.indices.contains(index) else { return nil }
        let call = manifest.calls[index]
        let owner = Manifest.owner(of: call)
        let capability = manifest.needs.first { $0.feature == owner }?.capability ?? owner
        return (call, catalog.operation(capability + call.dropFirst(owner.count)))
    }

    /// A generator of its own for each purpose.
    func numbers(_ purpose: String) -> SeededNumbers {
        SeededNumbers(seed: purpose.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
    }
}

/// SplitMix64: the same seed gives the same numbers.
struct SeededNumbers: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}
