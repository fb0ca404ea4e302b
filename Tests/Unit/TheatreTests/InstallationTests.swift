// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing

@testable import theatre

/// Where the host looks for its parts.
@Suite struct InstallationTests {
    private let folder: TemporaryFolder
    private var root: String { folder.path }

    init() throws { folder = try TemporaryFolder() }

    private func place(_ folders: String...) throws {
        for folder in folders {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
    }

    @Test func anInstalledProgramFindsItsPartsFromWhereItIs() throws {
        try place("usr/bin", "usr/lib/theatreos", "usr/share/theatreos/PluginAPI", "usr/share/theatreos/plugins.d")
        let installation = Installation(program: "\(root)/usr/bin/theatre", environment: [:])
        #expect(installation.isInstalled)
        #expect(installation.libraries() == "\(root)/usr/lib/theatreos")
        #expect(try installation.home() == "\(root)/usr/share/theatreos")
    }

    @Test func aBuiltProgramFindsThemInItsFolderAndTheSources() throws {
        try place("src/.build/x86_64/debug", "src/PluginAPI/CTheatrePlugin")
        let installation = Installation(program: "\(root)/src/.build/x86_64/debug/theatre", environment: [:])
        #expect(!installation.isInstalled)
        #expect(installation.libraries() == "\(root)/src/.build/x86_64/debug")
        #expect(installation.deployment == "plugins.d")
        #expect(try installation.home() == "\(root)/src")
    }

    @Test func whatTheEnvironmentNamesComesFirstAndAnOptionBeforeIt() throws {
        let named = Installation(
            program: "\(root)/bin/theatre",
            environment: [
                "THEATRE_PLUGINS": "/a:", "THEATRE_PLUGINS_D": "/d", "THEATRE_HOME": "",
            ])
        #expect(named.libraries() == "/a:\(root)/bin")
        #expect(named.libraries("/b::/c") == "/b:\(root)/bin:/c")
        #expect(named.deployment == "/d")
    }

    @Test func whatIsNowhereIsSaidWithThePlaces() throws {
        let installation = Installation(program: "\(root)/bin/theatre", environment: [:])
        let missing = #expect(throws: Installation.Missing.self) { try installation.home() }
        #expect(missing?.description.contains("\(root)/share/theatreos") == true)
        #expect(missing?.description.contains("THEATRE_HOME") == true)
    }
}
