// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Runtime
import Services
import TheatreContracts
import TheatreManifest

/// `theatre audit`.
struct Audit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at the audit log and prove it, beside a running host or without one.",
        subcommands: [Verify.self, List.self, Export.self, Key.self], defaultSubcommand: Verify.self)

    /// A time on the command line: milliseconds since 1970, a day, or a time as RFC 3339 has it.
    struct Time: ExpressibleByArgument {
        let milliseconds: Int64

        init?(argument: String) {
            if let number = Int64(argument), number > 0 {
                milliseconds = number
            } else if let date = try? Date(
                argument.contains("T") ? argument : argument + "T00:00:00Z", strategy: .iso8601)
            {
                milliseconds = Int64(date.timeIntervalSince1970 * 1000)
            } else {
                return nil
            }
        }
    }

    /// Part of the log.
    struct Span: ParsableArguments {
        @Option(help: "Only of this tenant.") var tenant = ""
        @Option(help: "From this time on: 2026-01-31, 2026-01-31T09:30:00Z, or milliseconds since 1970.") var from:
            Time?
        @Option(help: "Before this time.") var to: Time?
    }

    /// `theatre audit key`.
    struct Key: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the public keys that checkpoints are verified by, as a JSON Web Key Set.")
        @OptionGroup var options: OperatorOptions

        func run() throws {
            try options.run { runtime in
                let keys = try Audit.publicKeys(runtime).map { try JSONValue(json: $0) }
                try Printing.json(.object(["keys": .array(keys)]))
            }
        }
    }

    /// The public halves of the host's key for the audit log.
    static func publicKeys(_ runtime: OperatorRuntime) throws -> [Data] {
        let host = runtime.host
        let keys = FileKeys(folder: "\(host.state)/\(host.keysFolder)", generate: false)
        let grant = ResolvedGrants.KeyGrant(key: host.auditKey, algorithm: "EdDSA", also: ["ES256"])
        return try keys.load(grant).map { Data($0.publicJWK.utf8) }
    }

    /// A row for programs.
    static func json(_ row: SQLAuditRow) -> JSONValue {
        .object([
            "id": .int(row.id), "at": .int(row.at), "tenant": .string(row.tenant), "project": .text(row.project),
            "actor": .text(row.principal), "route": .string(row.route), "resource": .string(row.resource),
            "action": .string(row.action), "decision": .text(row.decision), "request_id": .text(row.requestID),
            "instance": .text(row.caller), "outcome": .string(row.outcome), "reason": .text(row.reason),
            "count": .int(row.count), "network": .text(row.network), "seq": .int(row.seq),
        ])
    }
}
