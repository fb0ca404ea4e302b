// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Runtime
import TheatreManifest

/// What is said once the server is ready: a table and the next command for people, one JSON line for programs.
struct ReadyReport {
    let url: String
    let statuses: [InstanceStatus]
    let folder: String

    /// Prints both.
    func print(to descriptor: Int32?) {
        Swift.print(text)
        fflush(nil)
        guard let descriptor else { return }
        var line = Array((json + "\n").utf8)
        line.withUnsafeMutableBytes { _ = write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
    }

    private var text: String {
        var table = TextTable(["instance", "plugin", "version", "mode", "capabilities", "state"])
        for status in statuses {
            let names = status.capabilities.map { $0.replacing("theatre.", with: "") }.joined(separator: " ")
            table.add([status.instance, status.plugin, status.version, status.mode, names, "\(status.state)"])
        }
        let failures = statuses.compactMap { status -> String? in
            guard case .quarantined(let error) = status.state else { return nil }
            return "  \(status.instance): \(error)"
        }
        return """
            \(table.text)
            \(failures.isEmpty ? "" : "\nnot serving:\n\(failures.joined(separator: "\n"))\n")
            ready at \(url)
              API      \(url)/openapi.json
              health   \(url)/readyz   metrics \(url)/metrics
              next     \(Installation.current.command) tour --server \(url)
              change   edit \(folder), then kill -HUP \(getpid()); stop with ^C
            """
    }

    private var json: String {
        let value = JSONValue.object([
            "ready": .bool(true), "url": .string(url), "pid": .integer(Int64(getpid())),
            "instances": .array(
                statuses.map { status in
                    .object([
                        "instance": .string(status.instance), "plugin": .string(status.plugin),
                        "state": .string("\(status.state)"), "generation": .integer(Int64(status.generation)),
                        "digest": .string(status.digest), "reason": status.reason.map { .string($0) } ?? .null,
                    ])
                }),
        ])
        return (try? value.json()).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
