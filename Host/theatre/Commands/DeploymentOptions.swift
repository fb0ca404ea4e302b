// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Registry
import Runtime

/// Where a deployment is described and where its libraries are.
struct DeploymentOptions: ParsableArguments {
    @Option(
        name: .customLong("plugins-d"),
        help: "Folder that declares the deployment. By default THEATRE_PLUGINS_D, plugins.d here, or the installed one."
    )
    var namedDeployment: String?

    @Option(
        name: .customLong("plugins"),
        help: ArgumentHelp(DeploymentOptions.librariesHelp))
    var namedLibraries: String?

    /// The folder that declares the deployment.
    var pluginsD: String { namedDeployment ?? Installation.current.deployment }

    /// This program's file.
    static var ownPath: String { Installation.current.program }

    /// The folders of libraries, as `LibraryPath` reads them.
    var libraryFolder: String { Installation.current.libraries(namedLibraries) }

    /// Of every option that names libraries.
    static let librariesHelp =
        "Folders of the libraries, with colons between them; an empty one is the host's own. By default THEATRE_PLUGINS."

    /// Where libraries were looked for, where one that is declared is not there.
    func note(on faults: [Fault]) -> String? {
        guard faults.contains(where: { $0.code == .instanceUnknownPlugin }) else { return nil }
        return "libraries were looked for in \(LibraryPath(libraryFolder).folders.joined(separator: ", "))"
    }
}
