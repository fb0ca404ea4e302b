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

    /// A logger of one part of the host.
    func logger(_ label: String) -> Logger {
        let clock = clock
        let level = Logger.Level(rawValue: host.log.level) ?? .info
        let format: LogFormat = host.log.format == "json" ? .json : .console
        let writer = writer
        return Logger(label: label) { label in
            LineLogHandler(
                label: label, writer: writer, format: format, level: level, wall: { Int64(clock.wall() / 1_000_000) })
        }
    }

    /// What instances log, and what becomes of them.
    var hooks: InstancePort.Hooks {
        let plugins = logger("plugin"), dispatch = logger("dispatch")
        var hooks = InstancePort.Hooks()
        hooks.onQuarantine = { reason in dispatch.error("instance is quarantined", metadata: ["reason": "\(reason)"]) }
        hooks.onLog = { identity, level, message, fields in
            var metadata = Self.metadata(fields)
            metadata["instance"] = "\(identity.instance)"
            metadata["generation"] = "\(identity.generation)"
            plugins.log(level: Self.level(level), "\(message)", metadata: metadata)
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
