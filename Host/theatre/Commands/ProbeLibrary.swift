// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Glibc
import Runtime
import TheatreManifest
import Trust

/// `theatre probe-library`: the child in which a host tries a library. Reads what to try from its input and the library
/// from descriptor 3.
struct ProbeLibrary: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe-library", abstract: "Try the library at descriptor 3.", shouldDisplay: false)

    func run() throws {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        let request = try JSONValue(json: try Data(contentsOf: URL(filePath: "/proc/self/fd/0")))
        guard let plugin = request["plugin"]?.string, let instance = request["instance"]?.string,
            let digest = request["digest"]?.string, let configuration = request["configuration"]?.string,
            let state = request["state"]?.string, let seconds = request["seconds"]?.integer
        else { throw ExitCode(2) }
        let file = try PluginFile(name: plugin, path: "/proc/self/fd/3")
        guard file.digest == digest else { throw ExitCode(2) }
        do {
            try LibraryTrial.run(
                file, instance: instance, configuration: Array(configuration.utf8), stateFolder: state,
                seconds: Int(seconds))
        } catch {
            printError("\(error)")
            Glibc.fflush(nil)
            _exit(LibraryProbe.answeredStatus)
        }
        // Threads that a library left behind end with the process, without its exit handlers.
        _exit(0)
    }
}
