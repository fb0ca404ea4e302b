// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatrePlugin
import TheatrePluginTesting

/// Libraries that a test installs; that one is found and runs is tested from an installation.
struct LibrarySourceTests {
    @Test func aLibraryThatIsNotThereSaysWhereItWasLookedFor() async throws {
        let error = await #expect(throws: PluginError.self) {
            try await TestHost().install(.installed("Nowhere"), instance: "x")
        }
        #expect(error?.reason == "test.no_library")
        #expect(error?.message.contains("lib/theatreos/libNowhere.so, ") == true)
    }

    @Test func aFileThatIsNoLibrarySaysWhatTheLoaderSays() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "lib\(UUID().uuidString).so")
        try Data("#!/bin/sh\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let error = await #expect(throws: PluginError.self) {
            try await TestHost().install(.file(file), instance: "x")
        }
        #expect(error?.reason == "test.library")
        #expect(error?.message.contains(file.path) == true)
    }

    @Test func eventsNeedALog() async throws {
        let error = await #expect(throws: PluginError.self) { try await TestHost().publishedEvents() }
        #expect(error?.reason == "test.no_log")
    }
}
