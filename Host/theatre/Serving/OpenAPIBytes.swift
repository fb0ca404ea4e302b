// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Gateway
import Runtime
import TheatreManifest
import Transcoding

/// The API description of what is served.
enum OpenAPIBytes {
    /// The document as JSON; an object with the reason where it cannot be made.
    static func make(_ table: GatewayTable, catalog: ContractCatalog) -> [UInt8] {
        do {
            let routes = table.entries.map { OpenAPIRoute($0.route, instance: $0.instance) }
            let document = try OpenAPIDocument(
                routes: routes, catalog: catalog, title: "TheatreOS", version: HostVersion.current)
            return [UInt8](try document.value.json())
        } catch {
            return Array(#"{"error":"the API description cannot be made; see the log"}"#.utf8)
        }
    }
}
