// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Runtime
import TheatreContracts
import TheatreManifest

/// What an operator asks for, whichever way it came.
enum PluginRequest: Sendable {
    case list
    case show(String)
    case enable(String)
    case disable(String, reason: String)
    case quarantine(String, reason: String)
    case release(String)
    /// `library`: a file in place of the plugin's own. `fresh`: without the old generation's state.
    case swap(String, library: NamedLibrary?, fresh: Bool)
    case rollback(String)
    case logs(String, limit: Int)

    /// Reads a request of the control socket: `{"command": "plugins.swap", "instance": "ledger"}`.
    init(_ value: JSONValue) throws(CallError) {
        do {
            self = try PluginRequest(reading: value)
        } catch {
            throw CallError(.invalidArgument, "control.malformed", "The request cannot be understood: \(error).")
        }
    }

    private init(reading value: JSONValue) throws {
        var reader = try ObjectReader(value)
        let command = try reader.choice("command", of: Self.commands.map { "plugins.\($0)" })
        let instance = command == "plugins.list" ? "" : try reader.string("instance")
        switch command {
        case "plugins.list": self = .list
        case "plugins.show": self = .show(instance)
        case "plugins.enable": self = .enable(instance)
        case "plugins.disable": self = .disable(instance, reason: try reader.optionalString("reason") ?? "")
        case "plugins.quarantine": self = .quarantine(instance, reason: try reader.optionalString("reason") ?? "")
        case "plugins.release": self = .release(instance)
        case "plugins.swap":
            self = .swap(
                instance, library: try reader.optionalString("library").map(NamedLibrary.anywhere),
                fresh: try reader.bool("fresh", default: false))
        case "plugins.rollback": self = .rollback(instance)
        default: self = .logs(instance, limit: Int(clamping: try reader.integer("limit") ?? 0))
        }
        try reader.finish()
    }

    private static let commands = [
        "list", "show", "enable", "disable", "quarantine", "release", "swap", "rollback", "logs",
    ]
}

/// A library that an operator named.
enum NamedLibrary: Sendable {
    /// Any file: the operator of this machine may run any code as the host's user anyway.
    case anywhere(String)
    /// A file in the host's folders of libraries, by its name there or its whole path: for operators elsewhere.
    case installed(String)

    /// Its path.
    ///
    /// - Throws: `plugins.unknown_library` for what is in none of the folders; whether it is elsewhere is not told.
    func path(in folders: LibraryPath) throws(CallError) -> String {
        switch self {
        case .anywhere(let path): return path
        case .installed(let name):
            if let path = folders.installed(name) { return path }
            throw CallError(
                .notFound, "plugins.unknown_library",
                "No library \(name) is in the host's folders of libraries; put it there, or name it on the machine with theatre plugins swap --library.",
                detail: "/library")
        }
    }
}

/// What an operator is answered.
enum PluginAnswer: Sendable {
    case instances([HostInstance])
    case instance(HostInstance)
    case swapped(HostSwapped)
    case logs([HostInstanceLogLine])

    /// As the control socket carries it.
    var json: JSONValue {
        switch self {
        case .instances(let instances): .array(instances.map(Self.json))
        case .instance(let instance): Self.json(instance)
        case .swapped(let swapped):
            .object([
                "instance": Self.json(swapped.instance), "from": .int(swapped.from), "to": .int(swapped.to),
                "handed_over": .bool(swapped.handedOver),
            ])
        case .logs(let lines): .array(lines.map(Self.json))
        }
    }

    private static func json(_ instance: HostInstance) -> JSONValue {
        .object([
            "instance": .string(instance.instance), "plugin": .string(instance.plugin),
            "version": .string(instance.version), "mode": .string(instance.mode), "state": .string(instance.state),
            "generation": .int(instance.generation), "reason": .text(instance.reason),
            "critical": .bool(instance.critical), "capabilities": .array(instance.capabilities.map { .string($0) }),
            "running_digest": .text(instance.runningDigest), "configured_digest": .text(instance.configuredDigest),
            "previous_digest": .text(instance.previousDigest),
            "disabled_by_operator": .bool(instance.disabledByOperator), "mapped_builds": .int(instance.mappedBuilds),
            "facts": .object(instance.facts.mapValues { .string($0) }),
        ])
    }

    private static func json(_ line: HostInstanceLogLine) -> JSONValue {
        .object([
            "at_ms": .integer(line.at), "level": .string(line.level), "generation": .int(line.generation),
            "message": .string(line.message), "fields": .bytes(.init(line.fields.utf8)),
        ])
    }
}
