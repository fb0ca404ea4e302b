// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
internal import TheatreManifest
internal import Transcoding

/// A new plugin: the template of a language, filled in for a name and a contract.
public struct Scaffold: Sendable {
    private let name: String
    private let contract: Contract
    private let language: Language
    private let home: DeveloperHome

    /// One file of it.
    public struct File: Sendable {
        /// Below the plugin's folder.
        public let path: String
        /// What it holds.
        public let data: Data
    }

    /// A plugin that does not exist yet.
    ///
    /// - Throws: `ScaffoldError` where the name is none, or there is no template.
    public init(name: String, contract: Contract, language: Language, home: DeveloperHome) throws {
        guard name.wholeMatch(of: #/[A-Z][A-Za-z0-9]*/#) != nil else {
            throw ScaffoldError("\(name) is no name of a plugin; write one like PaymentWeChat")
        }
        guard FileManager.default.fileExists(atPath: home.template(language)) else {
            throw ScaffoldError("There is no template for \(language.rawValue) in \(home.path)/PluginAPI/Templates")
        }
        let generated = try SwiftNames(contract).seam(contract.service.name)
        let seam = "\(home.path)/PluginAPI/TheatrePlugin/Generated/\(generated).swift"
        guard language != .swift || FileManager.default.fileExists(atPath: seam) else {
            throw ScaffoldError(
                "In Swift the SDK brings the messages of TheatreOS's own contracts, and \(contract.service.name) is none; take another language, or make the messages with protoc-gen-swift"
            )
        }
        self.name = name
        self.contract = contract
        self.language = language
        self.home = home
    }

    /// All files, by path.
    public func files() throws -> [File] {
        let values = try placeholders()
        var files: [String: Data] = [:]
        for path in try Self.paths(below: home.template(language)) {
            let data = try Data(contentsOf: URL(filePath: "\(home.template(language))/\(path)"))
            files[path.replacing("NAME", with: name)] = try Placeholders.fill(data, values, of: path)
        }
        if language != .swift {
            for header in ["theatre_plugin.h", "theatre_plugin_entry.h"] {
                files["include/\(header)"] = try Data(contentsOf: URL(filePath: "\(home.headers)/\(header)"))
            }
            let folder = Self.codecFolder[language] ?? ""
            for file in try Codec(contract).files(language) { files[folder + file.name] = Data(file.text.utf8) }
            files["contracts.binpb"] = contract.descriptors
        } else {
            files["Sources/\(name)Entry/contracts.binpb"] = contract.descriptors
        }
        return files.sorted { $0.key < $1.key }.map { File(path: $0.key, data: $0.value) }
    }

    /// Writes all files.
    ///
    /// - Throws: `ScaffoldError` where the folder is there and not empty.
    public func write(to folder: String) throws {
        let isThere = FileManager.default.fileExists(atPath: folder)
        let entries = isThere ? try FileManager.default.contentsOfDirectory(atPath: folder) : []
        guard entries.isEmpty else {
            throw ScaffoldError("\(folder) is not empty; name another folder with --directory")
        }
        for file in try files() {
            let url = URL(filePath: "\(folder)/\(file.path)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try file.data.write(to: url)
        }
    }

    private static let codecFolder: [Language: String] = [.c: "src/", .rust: "src/", .go: "", .zig: "src/"]

    private func placeholders() throws -> [String: String] {
        let plan = SkeletonPlan(name: name, contract: contract)
        let skeleton: any Skeleton =
            switch language {
            case .swift: try SwiftSkeleton(plan)
            case .c: CSkeleton(plan)
            case .rust: RustSkeleton(plan)
            case .zig: ZigSkeleton(plan)
            case .go: GoSkeleton(plan)
            }
        return ManifestPlaceholders(plan).values.merging(skeleton.placeholders) { $1 }
            .merging(["sdk": "\(home.path)/PluginAPI"]) { $1 }
    }

    /// Every file below a folder, but for what was built there.
    private static func paths(below folder: String) throws -> [String] {
        var result: [String] = []
        for entry in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            var isFolder: Bool = false
            guard FileManager.default.fileExists(atPath: "\(folder)/\(entry)", isDirectory: &isFolder) else { continue }
            if isFolder {
                result += try paths(below: "\(folder)/\(entry)").map { "\(entry)/\($0)" }
            } else {
                result.append(entry)
            }
        }
        return result
    }
}
