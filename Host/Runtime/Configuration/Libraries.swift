// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import FoundationEssentials
internal import Registry
internal import Synchronization
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

/// The libraries that a deployment names, read from their files without loading them.
struct Libraries {
    let path: LibraryPath
    /// Those that stand for what is in the folders.
    private let known: [String: PluginFile]
    /// What was read before it was looked for.
    private var ahead: [String: Result<PluginFile, LoadError>] = [:]
    private(set) var files: [String: PluginFile] = [:]
    private(set) var broken: [String: LoadError] = [:]
    private(set) var faults: [Fault] = []

    init(path: LibraryPath, known: [String: PluginFile] = [:]) {
        self.path = path
        self.known = known
    }

    /// Reads the libraries of all that run here, side by side: each is read and hashed whole, which is most of what a start
    /// takes. What is found is said by ``look(for:)``, in its order.
    mutating func readAhead(_ instances: [InstanceDeclaration]) {
        let wanted = instances.filter { $0.remote?.manifest == nil && known[$0.plugin] == nil }
        let names = Set(wanted.map(\.plugin)).sorted()
        let running = Set(wanted.filter(\.enabled).map(\.plugin))
        let path = path
        let read = Mutex<[String: Result<PluginFile, LoadError>]>([:])
        DispatchQueue.concurrentPerform(iterations: names.count) { index in
            guard let result = Self.read(names[index], at: path.file(of: names[index])) else { return }
            if !running.contains(names[index]), case .success(let file) = result { file.image.drop() }
            read.withLock { $0[names[index]] = result }
        }
        ahead = read.withLock { $0 }
    }

    private static func read(_ name: String, at path: String) -> Result<PluginFile, LoadError>? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return Result { () throws(LoadError) in try PluginFile(name: name, path: path) }
    }

    /// Reads the library of an instance's plugin, once. A disabled instance may have none, or a broken one.
    mutating func look(for instance: InstanceDeclaration) {
        if let remote = instance.remote, let manifest = remote.manifest {
            return lookElsewhere(for: instance, manifest: manifest, contracts: remote.contracts)
        }
        if let file = files[instance.plugin] { return checkIsHere(file, instance) }
        if let known = known[instance.plugin] { return files[instance.plugin] = known }
        guard let read = ahead[instance.plugin] ?? Self.read(instance.plugin, at: path.file(of: instance.plugin)) else {
            return
        }
        do throws(LoadError) {
            files[instance.plugin] = try read.get()
        } catch {
            guard instance.enabled else { return }
            broken[instance.name] = error
            // What is declared wrong stops the start, whoever declares it: a route that lacks its access or its audit, say.
            guard instance.critical || error.code == "plugin.bad_manifest" else { return }
            faults.append(
                Fault(
                    .declarationInvalid, at: instance.source,
                    "\(error.plugin): \(error.code): expected \(error.expected), found \(error.found).",
                    fix: "\(error.fix)."))
        }
    }

    /// Reads the manifest of a plugin that is served elsewhere.
    private mutating func lookElsewhere(for instance: InstanceDeclaration, manifest: String, contracts: String?) {
        let folder = manifest.lastIndex(of: "/").map { String(manifest[...$0]) } ?? ""
        let place = instance.map.source(at: "/remote/manifest")
        if let file = files[instance.plugin] {
            guard file.path != manifest else { return }
            return faults.append(
                Fault(
                    .declarationInvalid, at: place,
                    "\(instance.plugin) is known already, from \(file.path); one name is one plugin.",
                    fix: file.isServedElsewhere ? "State the same manifest." : "Leave manifest out."))
        }
        do throws(LoadError) {
            files[instance.plugin] = try PluginFile(
                name: instance.plugin, manifest: manifest, contracts: contracts ?? "\(folder)contracts.binpb")
        } catch {
            guard instance.enabled else { return }
            broken[instance.name] = error
            faults.append(
                Fault(
                    .declarationInvalid, at: place,
                    "\(error.plugin): \(error.code): expected \(error.expected), found \(error.found).",
                    fix: "\(error.fix)."))
        }
    }

    /// What has only a manifest cannot run here.
    private mutating func checkIsHere(_ file: PluginFile, _ instance: InstanceDeclaration) {
        guard file.isServedElsewhere, instance.mode != "remote" else { return }
        faults.append(
            Fault(
                .declarationInvalid, at: instance.map.source(at: "/mode"),
                "\(instance.plugin) has only a manifest here, at \(file.path), so it cannot run \(instance.mode).",
                fix: "Install its library, or set mode to remote with an endpoint."))
    }

    /// What the compiler reads of them. A library whose contracts cannot be read is a fault.
    mutating func installed() -> [InstalledPlugin] {
        files.values.sorted { $0.manifest.name < $1.manifest.name }.map { file in
            let source = Source(file: "lib\(file.manifest.name).so")
            var contracts = ContractFacts()
            do throws(CatalogError) {
                contracts = ContractFacts(
                    reading: try ContractCatalog(descriptorSets: [file.contracts], comments: false))
            } catch {
                faults.append(
                    Fault(
                        .declarationInvalid, at: source, "The library's contracts cannot be read: \(error).",
                        fix: "Build it with the contracts.binpb that `make contracts` writes."))
            }
            return InstalledPlugin(manifest: file.manifest, contracts: contracts, source: source)
        }
    }

    /// All their contracts as one.
    var catalog: ContractCatalog {
        get throws(CatalogError) {
            try ContractCatalog(descriptorSets: files.values.map(\.contracts), comments: false)
        }
    }
}
