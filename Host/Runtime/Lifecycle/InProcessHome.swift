// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// The host's own process: each library is loaded once and stays.
final class InProcessHousing: InstanceHousing {
    private let libraries = Mutex<[String: PluginLibrary]>([:])

    func home(
        for plan: InstancePlan, ended: @escaping @Sendable (InstanceEnd) -> Void
    ) throws(LoadError) -> any InstanceHome {
        let digest = plan.file.digest
        if let known = libraries.withLock({ $0[digest] }) { return InProcessHome(known) }
        let library = try PluginLibrary(plan.file)
        libraries.withLock { $0[digest] = library }
        return InProcessHome(library)
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

    var facts: [String: String] { [:] }
}
