// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Glibc
import Runtime
import Services
import SwiftProtobuf
import TheatreContracts
import TheatreManifest

extension Audit {
    /// `theatre audit list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List rows of one tenant, newest first.")
        @OptionGroup var span: Span
        @Option(help: "Only what this actor did.") var actor = ""
        @Option(help: "Only what was done to this.") var resource = ""
        @Option(help: "Only this action.") var action = ""
        @Option(help: "Only what ended so: changed, read, refused, used or failed.") var outcome = ""
        @Option(help: "At most so many, 1 to 500.") var limit: UInt32 = 50
        @Option(help: "Only those before this id.") var before: Int64 = 0
        @OptionGroup var options: OperatorOptions

        func validate() throws {
            guard (1...500).contains(limit) else { throw ValidationError("--limit is 1 to 500") }
        }

        func run() throws {
            let request = SQLSearchAuditRequest.with {
                $0.tenant = span.tenant.isEmpty ? "default" : span.tenant
                $0.from = span.from?.milliseconds ?? 0
                $0.to = span.to?.milliseconds ?? 0
                $0.actor = actor
                $0.resource = resource
                $0.action = action
                $0.outcome = outcome
                $0.limit = limit
                $0.beforeID = before
            }
            try options.run { runtime in
                let rows = try runtime.call(
                    "theatre.sql.v1.Audit/SearchAudit", request, SQLSearchAuditResponse.self
                ).rows
                if options.json { return try Printing.json(.array(rows.map(Audit.json))) }
                var table = TextTable(["id", "seq", "at", "actor", "action", "resource", "outcome", "route"])
                for row in rows {
                    let outcome = row.reason.isEmpty ? row.outcome : "\(row.outcome) \(row.reason)"
                    table.add([
                        "\(row.id)", row.seq == 0 ? "-" : "\(row.seq)", Printing.time(row.at),
                        row.principal.isEmpty ? "-" : row.principal, row.action, row.resource,
                        row.count > 1 ? "\(outcome) ×\(row.count)" : outcome, row.route,
                    ])
                }
                print(table.text)
            }
        }
    }

    /// `theatre audit export`.
    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write whole chains to a new file that `theatre audit verify` proves without the deployment.",
            discussion: "That it was exported is in the audit log, too.")
        @Argument(help: "The file, which must not exist.") var path: String
        @Option(help: "Only of this tenant.") var tenant = ""
        @OptionGroup var options: OperatorOptions

        func run() throws {
            try options.run { runtime in
                guard let file = fopen(path, "wxe") else {
                    throw ServeFailure("\(path) cannot be made: \(String(cString: strerror(errno)))")
                }
                var rows = 0
                func write(_ line: AuditExport.Line) throws {
                    if case .row = line { rows += 1 }
                    guard fputs(try line.text() + "\n", file) >= 0 else {
                        throw ServeFailure("\(path) cannot be written")
                    }
                }
                var isClosed = false
                defer { if !isClosed { fclose(file) } }
                let chains = try Self.chains(tenant, runtime)
                try Self.note(chains, runtime)
                for chain in chains { try Self.write(chain, runtime, write) }
                isClosed = true
                guard fflush(file) == 0, fclose(file) == 0 else { throw ServeFailure("\(path) cannot be written") }
                if options.json {
                    return try Printing.json(
                        .object(["path": .string(path), "chains": .int(chains.count), "rows": .int(rows)]))
                }
                print("\(path): \(Printing.count(chains.count, "chain")), \(Printing.count(rows, "row"))")
            }
        }

        private static func chains(_ tenant: String, _ runtime: OperatorRuntime) throws -> [SQLAuditChain] {
            var chains: [SQLAuditChain] = []
            while true {
                let request = SQLListChainsRequest.with {
                    $0.tenant = tenant
                    $0.after = chains.last?.tenant ?? ""
                    $0.limit = 1000
                }
                let page = try runtime.call(
                    "theatre.sql.v1.Audit/ListChains", request, SQLListChainsResponse.self
                ).chains
                chains += page
                if page.count < 1000 { return chains }
            }
        }

        /// A database that cannot be written can still be exported.
        private static func note(_ chains: [SQLAuditChain], _ runtime: OperatorRuntime) throws {
            var request = SQLAppendAuditRequest()
            for chain in chains {
                var context = HostContext.operating(
                    "audit", "export", route: "theatre audit export", decision: "operator's command")
                context.tenant = chain.tenant
                let bytes: Data = try context.serializedBytes()
                request.entries.append(
                    .with {
                        $0.at = Int64(Date().timeIntervalSince1970 * 1000)
                        $0.context = bytes
                        $0.outcome = "read"
                        $0.count = 1
                    })
            }
            do {
                _ = try runtime.call(
                    "theatre.sql.v1.Database/AppendAudit", request, SQLAppendAuditResponse.self)
            } catch {
                printError("the export is not in the audit log: \(error.reason): \(error.message)")
            }
        }

        private static func write(
            _ chain: SQLAuditChain, _ runtime: OperatorRuntime, _ write: (AuditExport.Line) throws -> Void
        ) throws {
            try write(.chain(chain))
            var segment: Int64 = 0
            while segment < chain.segments {
                let request = SQLListCheckpointsRequest.with {
                    $0.tenant = chain.tenant
                    $0.afterSegment = segment
                    $0.limit = 1000
                }
                let page = try runtime.call(
                    "theatre.sql.v1.Audit/ListCheckpoints", request, SQLListCheckpointsResponse.self
                ).checkpoints.filter { $0.segment <= chain.segments }
                for checkpoint in page {
                    try write(.checkpoint(checkpoint))
                    try rows(of: chain.tenant, checkpoint.firstSeq - 1, checkpoint.lastSeq, runtime, write)
                }
                guard let last = page.last else { break }
                segment = last.segment
            }
            try write(.tail(chain.tenant))
            if chain.seq > chain.checkedSeq { try rows(of: chain.tenant, chain.checkedSeq, chain.seq, runtime, write) }
        }

        private static func rows(
            of tenant: String, _ first: Int64, _ last: Int64, _ runtime: OperatorRuntime,
            _ write: (AuditExport.Line) throws -> Void
        ) throws {
            var after = first
            while after < last {
                let request = SQLReadChainRequest.with {
                    $0.tenant = tenant
                    $0.afterSeq = after
                    $0.toSeq = last
                    $0.limit = 1000
                }
                let rows = try runtime.call("theatre.sql.v1.Audit/ReadChain", request, SQLReadChainResponse.self).rows
                for row in rows { try write(.row(row)) }
                guard rows.count == 1000, let end = rows.last else { return }
                after = end.seq
            }
        }
    }
}
