// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import JSONSchema
public import Registry
public import TheatreManifest
public import Transcoding

/// A deployment that was proved: what `plugins.d` declares, the libraries it names, and the table that binds them.
public struct CompiledDeployment: Sendable {
    /// `00-host.yaml`.
    public let host: HostConfiguration
    /// Every need, bound.
    public let table: RoutingTable
    /// As declared, the disabled too.
    public let instances: [InstanceDeclaration]
    /// Libraries by plugin name.
    public let files: [String: PluginFile]
    /// The contracts of all of them.
    public let catalog: ContractCatalog
    /// Libraries that could not even be described, by instance.
    public let broken: [String: LoadError]
    /// What was read of `plugins.d`.
    let documents: PluginsFolder
    /// Folders of the libraries, as ``LibraryPath`` reads them.
    let libraries: String

    /// Reads and proves a deployment. Runs nothing of any plugin.
    ///
    /// - Parameters:
    ///   - folder: `plugins.d`.
    ///   - libraries: folders of the `lib*.so` files, as ``LibraryPath`` reads them.
    ///   - known: libraries that stand for those of their names in the folders.
    ///   - probes: what is known of how capabilities work.
    /// - Throws: `DeploymentFaults` with everything that is wrong.
    public static func read(
        folder: String, libraries: String, known: [String: PluginFile] = [:], probes: Probes = Probes()
    ) throws(DeploymentFaults) -> CompiledDeployment {
        let documents = try PluginsFolder(path: folder)
        return try CompiledDeployment(documents, libraries: libraries, known: known, probes: probes)
    }

    /// The same declarations with another library for one plugin, proved anew. No other file is read again.
    ///
    /// - Throws: `DeploymentFaults` with everything that would be wrong.
    public func replacing(_ file: PluginFile) throws(DeploymentFaults) -> CompiledDeployment {
        try CompiledDeployment(
            documents, libraries: libraries, known: files.merging([file.manifest.name: file]) { $1 })
    }

    init(
        _ documents: PluginsFolder, libraries: String, known: [String: PluginFile] = [:], probes: Probes = Probes()
    ) throws(DeploymentFaults) {
        var faults: [Fault] = []
        let host = Self.attempt(&faults) { () throws(Fault) in try HostConfiguration(documents.host) }
        let instances = documents.instances.compactMap { document in
            Self.attempt(&faults) { () throws(Fault) in try Self.instance(document) }
        }
        let routing = documents.routes.compactMap { document in
            Self.attempt(&faults) { () throws(Fault) in try Self.routing(document) }
        }
        var found = Libraries(path: LibraryPath(libraries), known: known)
        found.readAhead(instances)
        for instance in instances { found.look(for: instance) }
        let installed = found.installed()
        faults += found.faults
        guard let host else { throw DeploymentFaults(faults) }
        let declared = instances.filter { found.broken[$0.name] == nil }
        let deployment = Deployment(
            development: host.isDevelopment, rates: Set(host.rates.keys), hostNeeds: [], instances: declared,
            profiles: routing.flatMap(\.profiles), routes: routing.flatMap(\.routes))
        let compilation = compile(
            plugins: installed, deployment: deployment, probes: probes, validate: Self.validate)
        faults += compilation.faults + Self.unsealable(declared, host)
        guard faults.isEmpty, let table = compilation.table else { throw DeploymentFaults(faults.sorted()) }
        self.host = host
        self.documents = documents
        self.libraries = libraries
        self.table = table
        self.instances = instances
        files = found.files
        do throws(CatalogError) { catalog = try found.catalog } catch {
            let fault = Fault(
                .declarationInvalid, at: Source(file: libraries), "The libraries' contracts do not agree: \(error).",
                fix: "Build them from the same contracts.")
            throw DeploymentFaults([fault])
        }
        broken = found.broken
    }

    /// The contracts with the comments that the libraries carry. Reads them all anew: tens of milliseconds.
    ///
    /// - Throws: `CatalogError`, which reading the deployment would have thrown.
    public func describedCatalog() throws(CatalogError) -> ContractCatalog {
        try ContractCatalog(descriptorSets: files.values.map(\.contracts), comments: true)
    }

    /// Instances that seal personal data, where nothing wraps the keys of persons.
    private static func unsealable(_ instances: [InstanceDeclaration], _ host: HostConfiguration) -> [Fault] {
        let enabled = instances.filter(\.enabled)
        guard !enabled.contains(where: { $0.name == host.keySource }) else { return [] }
        return enabled.filter(\.grants.personal).map { instance in
            Fault(
                .featureUnrouted, at: instance.source,
                "Instance \"\(instance.name)\" seals personal data, and there is no instance \"\(host.keySource)\" "
                    + "to wrap the keys of persons.",
                fix: "Enable one, such as KeyFile, and name it in key_source of 00-host.yaml.")
        }
    }

    private static func attempt<T>(_ faults: inout [Fault], _ body: () throws(Fault) -> T) -> T? {
        do throws(Fault) {
            return try body()
        } catch {
            faults.append(error)
            return nil
        }
    }

    private static func instance(_ document: YAMLDocument) throws(Fault) -> InstanceDeclaration {
        do { return try InstanceDeclaration(reading: document.value, map: document.map) } catch {
            throw Fault(error, in: document.map)
        }
    }

    private static func routing(_ document: YAMLDocument) throws(Fault) -> RoutingDeclaration {
        do { return try RoutingDeclaration(reading: document.value, map: document.map) } catch {
            throw Fault(error, in: document.map)
        }
    }

    /// Checks a configuration against its plugin's schema.
    private static func validate(_ schema: JSONValue, _ value: JSONValue) -> [ConfigFault] {
        do {
            return try JSONSchema(schema).validate(value).map {
                ConfigFault(pointer: $0.pointer, expected: $0.expected, found: $0.found)
            }
        } catch {
            return [ConfigFault(pointer: "", expected: "a schema this host can read is expected", found: "\(error)")]
        }
    }
}
