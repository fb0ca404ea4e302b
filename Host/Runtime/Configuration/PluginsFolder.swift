// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
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
    /// - Throws: `ConfigurationFaults` with every file that cannot be read.
    public init(path: String) throws(ConfigurationFaults) {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
                .filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted()
        } catch {
            throw ConfigurationFaults([
                ConfigurationFault(
                    code: "config.no_folder", file: path, line: 1, message: "the folder \(path) cannot be read",
                    fix: "create it, or name another with --plugins-d")
            ])
        }
        var documents: [YAMLDocument] = []
        var faults: [ConfigurationFault] = []
        for name in names {
            do throws(ConfigurationFault) {
                documents.append(try YAMLDocument(file: name, text: Self.text(of: "\(path)/\(name)", name)))
            } catch {
                faults.append(error)
            }
        }
        guard faults.isEmpty else { throw ConfigurationFaults(faults) }
        try self.init(documents)
    }

    /// Sorts documents by what they hold.
    public init(_ documents: [YAMLDocument]) throws(ConfigurationFaults) {
        var host: YAMLDocument?
        var faults: [ConfigurationFault] = []
        for document in documents {
            if document.file.hasPrefix("00-host.") {
                host = document
            } else if document.value["plugin"] != nil {
                instances.append(document)
            } else if document.value["routes"] != nil || document.value["profiles"] != nil {
                routes.append(document)
            } else {
                faults.append(
                    ConfigurationFault(
                        code: "config.unknown_kind", file: document.file, line: 1,
                        message: "\(document.file) declares neither a plugin nor routes",
                        fix: "add the key `plugin`, or `routes`, or name it 00-host.yaml"))
            }
        }
        guard faults.isEmpty else { throw ConfigurationFaults(faults) }
        if let host { self.host = host } else { self.host = try Self.empty() }
    }

    private static func empty() throws(ConfigurationFaults) -> YAMLDocument {
        do throws(ConfigurationFault) {
            return try YAMLDocument(file: "00-host.yaml", text: "")
        } catch {
            throw ConfigurationFaults([error])
        }
    }

    private static func text(of path: String, _ name: String) throws(ConfigurationFault) -> String {
        do {
            return try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            throw ConfigurationFault(
                code: "config.unreadable", file: name, line: 1, message: "\(name) cannot be read as UTF-8",
                fix: "check its mode and encoding")
        }
    }
}

/// Several faults at once.
public struct ConfigurationFaults: Error, Sendable, CustomStringConvertible {
    /// In the order of files.
    public var faults: [ConfigurationFault]
    /// Wraps faults.
    public init(_ faults: [ConfigurationFault]) { self.faults = faults }
    /// One line a fault.
    public var description: String { faults.map(\.description).joined(separator: "\n") }
}
