// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
public import Registry
internal import TheatreManifest

/// The files of `plugins.d`, read but not yet understood: the host's own, one for each instance, and routes.
public struct PluginsFolder: Sendable {
    /// `00-host.yaml`, or an empty document.
    public var host: YAMLDocument
    /// Those with a key `plugin`.
    public var instances: [YAMLDocument] = []
    /// Those with `profiles` or `routes`.
    public var routes: [YAMLDocument] = []

    /// Reads every `*.yaml` of a folder in the order of names.
    ///
    /// - Throws: `DeploymentFaults` with every file that cannot be read.
    public init(path: String) throws(DeploymentFaults) {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
                .filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted()
        } catch {
            throw DeploymentFaults([
                Fault(
                    .declarationInvalid, at: Source(file: path), "The folder cannot be read.",
                    fix: "Create it, or name another with --plugins-d.")
            ])
        }
        var documents: [YAMLDocument] = []
        var faults: [Fault] = []
        for name in names {
            do throws(Fault) {
                documents.append(try YAMLDocument(file: name, text: Self.text(of: "\(path)/\(name)", name)))
            } catch {
                faults.append(error)
            }
        }
        guard faults.isEmpty else { throw DeploymentFaults(faults) }
        try self.init(documents)
    }

    /// Sorts documents by what they hold.
    public init(_ documents: [YAMLDocument]) throws(DeploymentFaults) {
        var host: YAMLDocument?
        var faults: [Fault] = []
        for document in documents {
            if document.file.hasPrefix("00-host.") {
                host = document
            } else if document.value["plugin"] != nil {
                instances.append(document)
            } else if document.value["routes"] != nil || document.value["profiles"] != nil {
                routes.append(document)
            } else {
                let known = ["plugin", "routes", "profiles"]
                let meant = (document.value.object ?? [:]).keys.sorted().lazy
                    .compactMap { key in nearestMatch(to: key, among: known).map { (key, $0) } }.first
                faults.append(
                    Fault(
                        .declarationInvalid, at: Source(file: document.file, line: 1),
                        meant.map { "The file declares neither a plugin nor routes; is \($0) meant to be \($1)?" }
                            ?? "The file declares neither a plugin nor routes.",
                        fix: "Add the key `plugin`, or `routes`, or name it 00-host.yaml."))
            }
        }
        guard faults.isEmpty else { throw DeploymentFaults(faults) }
        if let host { self.host = host } else { self.host = try Self.empty() }
    }

    private static func empty() throws(DeploymentFaults) -> YAMLDocument {
        do throws(Fault) {
            return try YAMLDocument(file: "00-host.yaml", text: "")
        } catch {
            throw DeploymentFaults([error])
        }
    }

    private static func text(of path: String, _ name: String) throws(Fault) -> String {
        do {
            return try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            throw Fault(
                .declarationInvalid, at: Source(file: name), "The file cannot be read as UTF-8.",
                fix: "Check its mode and its encoding.")
        }
    }
}

/// Everything that is wrong with a deployment; nothing of it was applied.
public struct DeploymentFaults: Error, Sendable, CustomStringConvertible {
    /// By file and line.
    public var faults: [Fault]
    /// Wraps faults.
    public init(_ faults: [Fault]) { self.faults = faults }
    /// One line a fault.
    public var description: String { faults.map(\.description).joined(separator: "\n") }
}
