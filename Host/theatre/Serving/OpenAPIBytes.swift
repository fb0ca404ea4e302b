// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import Runtime
import TheatreManifest
import Transcoding

/// The API description of what is served.
enum OpenAPIBytes {
    /// The document as JSON, with what the contracts' comments say; an object with the reason where it cannot be made.
    static func make(_ routes: [OpenAPIRoute], _ deployment: CompiledDeployment, log: Logger) -> [UInt8] {
        do {
            let document = OpenAPIDocument(
                routes: routes, catalog: try deployment.describedCatalog(), title: "TheatreOS",
                version: HostVersion.current)
            return [UInt8](try document.value.json())
        } catch {
            log.error("the API description cannot be made", metadata: ["error": "\(error)"])
            return Array(#"{"error":"the API description cannot be made; see the log"}"#.utf8)
        }
    }
}
