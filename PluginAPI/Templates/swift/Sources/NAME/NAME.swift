// {{name}}
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// {{summary}}
struct {{name}}: Plugin, {{protocol}} {
    static var operations: [Operation<{{name}}>] { {{registrations}} }

    private let configuration: {{name}}Configuration

    init(_ host: PluginHost, _ configuration: {{name}}Configuration) throws {
        self.configuration = configuration
    }
{{handlers}}}

/// What plugins.d may say of an instance: the properties of `configuration` in plugin.json.
struct {{name}}Configuration: Decodable, Sendable {}
