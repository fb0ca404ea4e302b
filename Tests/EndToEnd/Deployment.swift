// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The default deployment with files replaced or added.
func defaultDeployment(_ changes: [String: String]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for file in try FileManager.default.contentsOfDirectory(atPath: Sources.defaultDeployment) {
        try folder.write(file, try defaultFile(file))
    }
    for (file, text) in changes { try folder.write(file, text) }
    return folder
}

/// A file of the default deployment.
func defaultFile(_ name: String) throws -> String {
    try String(contentsOf: URL(filePath: "\(Sources.defaultDeployment)/\(name)"), encoding: .utf8)
}

/// The port of a URL without a path.
func port(of url: String) -> String { url.split(separator: ":").last.map(String.init) ?? "" }
