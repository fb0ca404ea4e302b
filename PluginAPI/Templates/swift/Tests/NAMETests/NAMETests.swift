// {{name}}
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import {{name}}

/// The plugin, run over the interface that hosts use.
@Suite struct {{name}}Tests {
    private let host = TestHost()
    private let manifest = ManifestSource.file(
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "plugin.json"))

    @Test func anInstanceStartsAndStops() async throws {
        let instance = try await host.install({{name}}.self, manifest: manifest, instance: "tested")
        try await instance.stop()
        #expect(host.violations.isEmpty)
    }
}
