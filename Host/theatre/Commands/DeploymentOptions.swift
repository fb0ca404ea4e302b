// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc

/// Where a deployment is described and where its libraries are.
struct DeploymentOptions: ParsableArguments {
    @Option(name: .customLong("plugins-d"), help: "Folder that declares the deployment.")
    var pluginsD = "plugins.d"

    @Option(name: .customLong("plugins"), help: "Folder of the libraries; by default the one of this program.")
    var libraries: String?

    /// The folder of libraries.
    var libraryFolder: String { libraries ?? Self.ownFolder }

    /// Where this program's file is.
    static var ownFolder: String {
        let path = ownPath
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return String(path[..<slash])
    }

    /// This program's file.
    static var ownPath: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX) + 1) { buffer in
            guard let base = buffer.baseAddress else { return "theatre" }
            let length = readlink("/proc/self/exe", base, Int(PATH_MAX))
            guard length > 0 else { return "theatre" }
            return String(decoding: UnsafeRawBufferPointer(buffer)[..<length], as: UTF8.self)
        }
    }
}
