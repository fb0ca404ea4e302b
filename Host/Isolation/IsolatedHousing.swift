// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import FoundationEssentials
internal import Glibc
public import Logging
public import Runtime
internal import Synchronization
internal import TheatreManifest

/// Runs instances in processes of their own, which `theatre-runner` is the program of.
public final class IsolatedHousing: InstanceHousing {
    private let programs: [String]
    private let logger: Logger

    /// - Parameters:
    ///   - programs: where `theatre-runner` may be; the first that is there is run.
    ///   - logger: where connections are noted that were made for instances.
    public init(programs: [String] = IsolatedHousing.places, logger: Logger) {
        self.programs = programs
        self.logger = logger
    }

    /// - Parameter program: path of `theatre-runner`.
    public convenience init(program: String, logger: Logger) { self.init(programs: [program], logger: logger) }

    /// Where `theatre-runner` is looked for: what THEATRE_RUNNER names, else where it is installed, then beside the running
    /// program.
    public static var places: [String] {
        if let named = getenv("THEATRE_RUNNER"), named.pointee != 0 { return [String(cString: named)] }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let prefix = folder.lastIndex(of: "/").map { String(folder[..<$0]) } ?? ".."
        return ["\(prefix)/libexec/theatreos/theatre-runner", "\(folder)/theatre-runner"]
    }

    /// Starts a process that has loaded the library and closed its sandbox.
    public func home(
        for plan: InstancePlan, ended: @escaping @Sendable (InstanceEnd) -> Void
    ) throws(LoadError) -> any InstanceHome {
        let home = try IsolatedHome(
            plan, program: try program(for: plan), image: try plan.file.image.sealed(), logger: logger, ended: ended)
        try home.begin()
        return home
    }

    private func program(for plan: InstancePlan) throws(LoadError) -> String {
        if let found = programs.first(where: { access($0, X_OK) == 0 }) { return found }
        throw LoadError(
            plugin: plan.name, code: "isolation.no_process",
            expected: "theatre-runner, which isolated instances run in",
            found: "none at \(programs.joined(separator: " or "))",
            fix: "install it there, name its file in THEATRE_RUNNER, or set `mode: inproc`")
    }
}
