// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization
internal import TheatreManifest

/// The host's own process: each build of a library is mapped once and stays.
public final class InProcessHousing: InstanceHousing {
    /// Tries a library elsewhere before it is mapped here; throws why it must not be.
    public typealias Probe = @Sendable (InstancePlan) throws(LoadError) -> Void

    private let libraries = Mutex<[String: PluginLibrary]>([:])
    private let residentLimit: Int
    private let probe: Probe

    /// - Parameters:
    ///   - residentLimit: builds of one plugin that may be mapped. None is ever unmapped: that is not safe with Swift code.
    ///   - probe: called before a library is mapped for the first time.
    public init(residentLimit: Int = 16, probe: @escaping Probe = { _ throws(LoadError) in }) {
        self.residentLimit = residentLimit
        self.probe = probe
    }

    /// A home of the library, which is mapped where it is not yet.
    ///
    /// - Throws: what the probe throws, what the loader throws, or `plugin.too_many_images`.
    public func home(
        for plan: InstancePlan, ended: @escaping @Sendable (InstanceEnd) -> Void
    ) throws(LoadError) -> any InstanceHome {
        let digest = plan.file.digest
        if let known = libraries.withLock({ $0[digest] }) { return InProcessHome(known) }
        let name = plan.file.manifest.name
        let count = images(of: name)
        guard count < residentLimit else {
            throw LoadError(
                plugin: name, code: "plugin.too_many_images",
                expected: "at most \(residentLimit) builds of the plugin mapped",
                found: "\(count), none of them this one",
                fix: "restart the host, which frees them, or raise resident_builds in 00-host.yaml")
        }
        try probe(plan)
        let library = try PluginLibrary(plan.file)
        libraries.withLock { $0[digest] = library }
        return InProcessHome(library)
    }

    /// How many builds of a plugin are mapped.
    public func images(of plugin: String) -> Int { images[plugin, default: 0] }

    /// How many builds are mapped, by plugin.
    public var images: [String: Int] {
        libraries.withLock { libraries in
            libraries.values.reduce(into: [:]) { $0[$1.file.manifest.name, default: 0] += 1 }
        }
    }
}

/// An instance of a library in this process; it ends with the process and not before.
final class InProcessHome: InstanceHome {
    private let library: PluginLibrary

    init(_ library: PluginLibrary) { self.library = library }

    func create(
        _ host: UnsafePointer<theatre_host>, _ arguments: UnsafePointer<theatre_create>,
        _ instance: UnsafeMutablePointer<UnsafeMutablePointer<theatre_instance>?>,
        _ error: UnsafeMutablePointer<theatre_error>
    ) -> theatre_code {
        guard let create = library.table.pointee.create else { return THEATRE_UNIMPLEMENTED }
        return create(host, arguments, instance, error)
    }

    func end() {}

    func abort() {}

    var facts: [String: String] { [:] }
}
