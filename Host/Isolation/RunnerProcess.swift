// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreIsolation
internal import Glibc
internal import Runtime

/// Starts `theatre-runner`.
enum RunnerProcess {
    /// A process with the library's image, and the host's ends of what it was given.
    static func start(_ plan: InstancePlan, program: String, image: Int32) throws(LoadError) -> theatre_child {
        var environment = ["SWIFT_BACKTRACE=enable=no", "LANG=C.UTF-8"]
        if let path = libraryPath(of: program) { environment.append("LD_LIBRARY_PATH=\(path)") }
        let words = CStrings(["theatre-runner", "--instance"]), variables = CStrings(environment)
        let path = CStrings([program])
        var spawn = theatre_spawn()
        spawn.path = path.pointers[0]
        spawn.words = words.constant
        spawn.environment = variables.constant
        spawn.spaces = plan.sandbox.wantsNamespaces ? 1 : 0
        var made = theatre_child()
        let failure = withExtendedLifetime((path, words, variables)) {
            theatre_spawn_runner(&spawn, image, plan.sandbox.connect.isEmpty ? 0 : 1, &made)
        }
        guard failure == 0 else {
            throw LoadError(
                plugin: plan.name, code: "isolation.no_process", expected: "a process of \(program)",
                found: String(cString: strerror(failure)),
                fix: "let this user run it, or name another file in THEATRE_RUNNER")
        }
        return made
    }

    /// Where the libraries are that a plugin's library needs. Where the host is installed with Swift's own libraries, they
    /// come first: a plugin is loaded from memory, so that nothing is found beside its file.
    private static func libraryPath(of program: String) -> String? {
        var folders: [String] = []
        let installed =
            program.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/../../lib/theatreos/swift"
        if access(installed, R_OK) == 0 { folders.append(installed) }
        if let path = getenv("LD_LIBRARY_PATH") { folders.append(String(cString: path)) }
        return folders.isEmpty ? nil : folders.joined(separator: ":")
    }
}
