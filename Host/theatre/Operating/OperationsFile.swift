// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreManifest

/// `STATE/operations.json`: what operators decided about instances, kept over restarts. The host writes it; `plugins.d`
/// is the operator's and is never written by the host.
struct OperationsFile: Sendable {
    /// Instances that an operator disabled.
    var disabled: [String: Decision] = [:]
    private let path: String

    /// What an operator decided, when and why.
    struct Decision: Sendable, Hashable {
        /// Milliseconds since 1970.
        var at: Int64
        /// In the operator's words, or empty.
        var reason: String
    }

    /// Reads what is there; nothing is decided where there is no file.
    ///
    /// - Throws: ``ServeFailure`` where it cannot be understood: to go on would let run what an operator stopped.
    init(state: String) throws {
        path = "\(state)/operations.json"
        guard FileManager.default.fileExists(atPath: path) else { return }
        do {
            var reader = try ObjectReader(JSONValue(json: try Data(contentsOf: URL(filePath: path))))
            for (name, value) in try reader.object("disabled") {
                var decision = try ObjectReader(value, at: "/disabled/\(name)")
                disabled[name] = Decision(
                    at: try decision.integer("at_ms") ?? 0, reason: try decision.optionalString("reason") ?? "")
                try decision.finish()
            }
            try reader.finish()
        } catch {
            throw ServeFailure(
                "\(path) cannot be understood: \(error); correct it, or remove it to enable every instance")
        }
    }

    /// Writes it beside itself and renames it: after a power cut it is the old one or the new one.
    func write() throws {
        let value = JSONValue.object([
            "disabled": .object(
                disabled.mapValues { .object(["at_ms": .integer($0.at), "reason": .string($0.reason)]) })
        ])
        try SafeFile.replace(path, with: Array(value.json()) + [10])
    }
}
