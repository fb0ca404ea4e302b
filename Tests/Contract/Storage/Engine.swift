// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SQLite
import Testing
import TheatrePluginTesting

/// The engines that the suite runs against.
enum Engine: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite

    var testDescription: String { rawValue }

    func install(on host: TestHost, _ configuration: [String: Int]) async throws {
        let figures = configuration.map { ", \"\($0.key)\": \($0.value)" }.sorted().joined()
        switch self {
        case .sqlite:
            try await host.install(
                SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "storage",
                configuration: "{\"path\": \":temporary:\"\(figures)}")
        }
    }
}
