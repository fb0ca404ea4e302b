// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc

/// Where the parts of this host are.
///
/// Each is looked for in the same order: what its environment variable names, where `make install` puts it, given by the
/// place of the running program, and where the build leaves it. An option of a command, where there is one, comes first.
/// `IsolatedHousing.places` does the same for `theatre-runner`.
struct Installation: Sendable {
    /// The running program's file.
    let program: String
    private let environment: [String: String]

    init(
        program: String = Installation.runningProgram,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        self.program = program
        self.environment = environment
    }

    /// The installation that this process runs from.
    static let current = Installation()

    /// A part that is in none of the places where it may be.
    struct Missing: Error, CustomStringConvertible {
        /// What was looked for.
        let part: String
        /// Variable that names it.
        let variable: String
        /// Where it was looked for.
        let looked: [String]

        var description: String {
            "\(part) cannot be found; looked at \(looked.joined(separator: ", ")). Run `make install`, or name it in \(variable)."
        }
    }

    /// Folder of the running program.
    var folder: String { Self.parent(of: program) }

    /// Folders of the plugins' libraries, with colons between them.
    ///
    /// - Parameter option: what the command line names, such as `build:`. An empty folder stands for the host's own.
    func libraries(_ option: String? = nil) -> String {
        let installed = "\(prefix)/lib/theatreos"
        let own = isInstalled && exists(installed) ? installed : folder
        return (option ?? named("THEATRE_PLUGINS") ?? "").split(separator: ":", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? own : String($0) }.joined(separator: ":")
    }

    /// The folder that declares the deployment: `plugins.d` of the working folder, else the one that is installed.
    var deployment: String {
        if let named = named("THEATRE_PLUGINS_D") { return named }
        guard isInstalled, !exists(Self.own) else { return Self.own }
        return ["\(prefix)/etc/theatreos", "\(prefix)/share/theatreos"].map { "\($0)/\(Self.own)" }
            .first(where: exists) ?? Self.own
    }

    /// The folder that holds `PluginAPI`: the header, the contracts, the SDK and the templates.
    func home() throws(Missing) -> String {
        let folders =
            named("THEATRE_HOME").map { [$0] } ?? (["\(prefix)/share/theatreos"] + (sources.map { [$0] } ?? []))
        guard let found = folders.first(where: { exists("\($0)/PluginAPI") }) else {
            throw Missing(part: "PluginAPI", variable: "THEATRE_HOME", looked: folders)
        }
        return found
    }

    /// Whether the program is in the `bin` of an installation.
    var isInstalled: Bool { exists("\(prefix)/share/theatreos") }

    /// Name of the folder that declares a deployment.
    private static let own = "plugins.d"

    /// How a person calls it.
    var command: String { isInstalled ? "theatre" : program }

    /// The folder above the program's.
    var prefix: String { Self.parent(of: folder) }

    /// The sources that the program was built from, where it runs from their build folder.
    private var sources: String? {
        var path = folder
        for _ in 0..<5 {
            path = Self.parent(of: path)
            if exists("\(path)/PluginAPI/CTheatrePlugin") { return path }
        }
        return nil
    }

    private func named(_ variable: String) -> String? {
        environment[variable].flatMap { $0.isEmpty ? nil : $0 }
    }

    private func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The file of this process.
    private static var runningProgram: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX) + 1) { buffer in
            guard let base = buffer.baseAddress else { return "theatre" }
            let length = readlink("/proc/self/exe", base, Int(PATH_MAX))
            guard length > 0 else { return "theatre" }
            return String(decoding: UnsafeRawBufferPointer(buffer)[..<length], as: UTF8.self)
        }
    }
}
