// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import Runtime
import Services
import TheatreManifest

/// Loggers of the host and of its instances, all through one writer.
struct HostLog: Sendable {
    let writer: LogWriter
    let host: HostConfiguration
    let clock: SystemClock
    /// Where the last lines of instances are kept, if anywhere.
    var records: InstanceRecords?
    /// Knows the generations that serve; set once there is a dispatcher.
    let generations = ServingGenerations()

    /// A logger of one part of the host.
    func logger(_ label: String) -> Logger {
        let clock = clock
        let level = Logger.Level(rawValue: host.log.level) ?? .info
        let format: LogFormat = host.log.format == "json" ? .json : .console
        let writer = writer, generations = generations
        return Logger(label: label) { label in
            LineLogHandler(
                label: label, writer: writer, format: format, level: level, wall: { Int64(clock.wall() / 1_000_000) },
                generation: { generations.generation(of: $0) })
        }
    }

    /// What instances log, and what becomes of them.
    var hooks: InstancePort.Hooks {
        let plugins = logger("plugin"), dispatch = logger("dispatch")
        var hooks = InstancePort.Hooks()
        let records = records, clock = clock
        let kept = min(Logger.Level(rawValue: host.log.level) ?? .info, .info)
        let keep: @Sendable (InstanceIdentity, Logger.Level, String, Logger.Metadata) -> Void = {
            identity, level, message, metadata in
            guard let records, level >= kept else { return }
            records.append(
                InstanceRecords.Line(
                    at: Int64(clock.wall() / 1_000_000), level: level, generation: identity.generation,
                    message: message, fields: metadata), of: identity.instance)
        }
        hooks.onQuarantine = { identity, reason in
            keep(identity, .error, "instance is quarantined", ["reason": "\(reason)"])
            dispatch.error(
                "instance is quarantined",
                metadata: [
                    "instance": "\(identity.instance)", "generation": "\(identity.generation)", "reason": "\(reason)",
                ])
        }
        hooks.onMisuse = { identity, misuse in
            let metadata: Logger.Metadata = [
                "plugin": "\(identity.plugin)", "kind": "\(misuse.kind)", "count": "\(misuse.count)",
                "operation": "\(misuse.operation.isEmpty ? "unknown" : misuse.operation)",
                "expected": "\(misuse.expected)", "found": "\(misuse.found)", "fix": "\(misuse.fix)",
            ]
            keep(identity, .warning, "a call was not completed as it must be", metadata)
            dispatch.warning(
                "a call was not completed as it must be",
                metadata: metadata.merging([
                    "instance": "\(identity.instance)", "generation": "\(identity.generation)",
                ]) { $1 })
        }
        hooks.onLog = { identity, level, message, fields in
            let level = Self.level(level)
            guard level >= kept else { return }
            var metadata = Self.metadata(fields)
            keep(identity, level, message, metadata)
            metadata["instance"] = "\(identity.instance)"
            metadata["generation"] = "\(identity.generation)"
            plugins.log(level: level, "\(message)", metadata: metadata)
        }
        return hooks
    }

    private static func level(_ raw: UInt32) -> Logger.Level {
        switch raw {
        case 0: .trace
        case 1: .debug
        case 2: .info
        case 3: .notice
        case 4: .warning
        default: .error
        }
    }

    private static func metadata(_ fields: String) -> Logger.Metadata {
        guard !fields.isEmpty, let object = (try? JSONValue(json: Data(fields.utf8)))?.object else { return [:] }
        return object.mapValues { value in
            .string(value.string ?? (try? value.json()).map { String(decoding: $0, as: UTF8.self) } ?? "")
        }
    }
}
