// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Synchronization

/// The debug build, installed once into a temporary prefix.
actor Installed {
    static let shared = Installed()
    /// Folders that live as long as this process, which removes them as it ends.
    private static let leftover = Mutex<[TemporaryFolder]>([])

    private var made: TemporaryFolder?

    /// The prefix.
    func prefix() async throws -> String {
        if let made { return made.root }
        let folder = try Self.folder()
        try await make("install", prefix: folder.root)
        made = folder
        return folder.root
    }

    /// A folder that is there for all tests.
    static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let count = leftover.withLock { folders in
            folders.append(folder)
            return folders.count
        }
        guard count == 1 else { return folder }
        atexit {
            for folder in Installed.leftover.withLock({ $0 }) {
                try? FileManager.default.removeItem(atPath: folder.root)
            }
        }
        return folder
    }

    /// `make install` or `make uninstall` of the debug build.
    func make(_ goal: String, prefix: String, destination: String = "") async throws {
        _ = try await shell(
            "make -s -C '\(Sources.root)' \(goal) CONFIGURATION=debug PREFIX='\(prefix)' DESTDIR='\(destination)'",
            in: "/", seconds: 120)
    }
}

/// Runs a script in a folder and returns what it printed; fails with that where the script does.
func shell(_ script: String, in folder: String, seconds: Int = 60, environment: [String: String] = [:]) async throws
    -> String
{
    let scratch = try TemporaryFolder()
    let child = try ChildProcess(
        command: ["bash", "-euo", "pipefail", "-c", "cd '\(folder)'\n\(script)"], output: scratch.path("log"),
        environment: environment)
    let status = try await child.end(seconds: seconds)
    guard status == 0 else { throw Unexpected("the script ended with \(status):\n\(script)\n\(child.output)") }
    return child.output
}
