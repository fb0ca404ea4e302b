// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A storage plugin under the fixture `Journal`, as a deployment.
struct FaultEngine: Sendable {
    /// The plugin's YAML file.
    let storage: String

    /// A file in the host's state folder.
    static let sqlite = FaultEngine(storage: "plugin: SQLite\ninstance: storage\ngrants: {state_folder: true}\n")

    /// The files of `plugins.d`.
    var deployment: [String: String] {
        [
            "00-host.yaml": """
            development: true
            storage: storage
            log: {level: info, format: json}
            rates:
              default: {per_minute: 100000000, burst: 1000000}
            drain_seconds: 20

            """,
            "10-storage.yaml": storage + "critical: true\n",
            "20-journal.yaml": "plugin: Journal\ninstance: journal\ngrants: {publishes: [journal]}\n",
        ]
    }
}
