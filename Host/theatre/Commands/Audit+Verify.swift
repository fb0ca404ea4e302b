// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Services
import TheatreContracts
import TheatreManifest

extension Audit {
    /// `theatre audit verify`.
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Work out every hash anew, verify every signature, and say what is not as it was written.",
            discussion: """
                Ends with status 1 where something is. An export needs no deployment: the file and the public key, which \
                --key names, are enough. With --from or --to only segments with rows in that time are read in full; \
                every checkpoint is verified all the same.
                """)
        @Argument(help: "A file of `theatre audit export`; without it, the database itself.") var export = ""
        @Option(help: "A file with public keys as `theatre audit key` prints them; without it, the host's own.")
        var key = ""
        @OptionGroup var span: Span
        @OptionGroup var options: OperatorOptions

        func validate() throws {
            guard export.isEmpty || !key.isEmpty else {
                throw ValidationError("an export is verified by a key that comes another way: --key FILE")
            }
        }

        func run() throws {
            if !export.isEmpty {
                do {
                    return try tell(try Self.verify(export, span, try Self.keys([try Self.contents(key)], from: key)))
                } catch let error as ServeFailure {
                    printError("\(error)")
                    throw ExitCode(1)
                }
            }
            try options.run { runtime in
                let keys =
                    key.isEmpty
                    ? try Self.keys(try Audit.publicKeys(runtime), from: "the host's keys")
                    : try Self.keys([try Self.contents(key)], from: key)
                var walk = AuditWalk(
                    tenant: span.tenant, from: span.from?.milliseconds ?? 0, to: span.to?.milliseconds ?? 0, keys: keys)
                while true {
                    switch walk.next() {
                    case .chains(let request):
                        walk.take(try runtime.call(Self.operation("ListChains"), request, SQLListChainsResponse.self))
                    case .checkpoints(let request):
                        walk.take(
                            try runtime.call(
                                Self.operation("ListCheckpoints"), request, SQLListCheckpointsResponse.self))
                    case .rows(let request):
                        walk.take(try runtime.call(Self.operation("ReadChain"), request, SQLReadChainResponse.self))
                    case .done(let report): return try tell(report)
                    }
                }
            }
        }

        private static func operation(_ name: String) -> String { "theatre.sql.v1.Audit/\(name)" }

        private static func contents(_ path: String) throws(ServeFailure) -> Data {
            do { return try Data(contentsOf: URL(filePath: path)) } catch {
                throw ServeFailure("\(path) cannot be read: \(error)")
            }
        }

        private static func keys(_ texts: [Data], from place: String) throws(ServeFailure) -> AuditPublicKeys {
            guard let keys = AuditPublicKeys(texts), !keys.isEmpty else {
                throw ServeFailure("\(place): no JSON Web Keys of Ed25519 or P-256; `theatre audit key` prints them")
            }
            return keys
        }

        private static func verify(_ path: String, _ span: Span, _ keys: AuditPublicKeys) throws(ServeFailure)
            -> AuditReport
        {
            guard let lines = LineReader(path) else { throw ServeFailure("\(path) cannot be read") }
            var verifier = AuditExport.Verifier(
                tenant: span.tenant, from: span.from?.milliseconds ?? 0, to: span.to?.milliseconds ?? 0, keys: keys)
            var number = 0
            while let line = lines.next() {
                number += 1
                do { verifier.take(try AuditExport.Line(line)) } catch {
                    throw ServeFailure("\(path):\(number): this is no line of an audit export")
                }
            }
            verifier.end()
            return verifier.report
        }

        private func tell(_ report: AuditReport) throws {
            if options.json {
                try Printing.json(Self.json(report))
            } else {
                for finding in report.findings {
                    print("\(finding.tenant): \(finding.kind.code): \(finding.message)")
                }
                if report.found > report.findings.count { print("… \(report.found) findings in all") }
                let what =
                    "\(Printing.count(report.chains, "chain")), \(Printing.count(report.rows, "row")) and "
                    + "\(Printing.count(report.checkpoints, "checkpoint")) verified"
                let rest =
                    "\(report.unchecked) above the last checkpoint, \(report.unsealed) not sealed yet, "
                    + "\(Printing.count(report.removedSegments, "segment")) removed by retention"
                print("\(what): \(report.isIntact ? "all is as it was written" : "\(report.found) findings") (\(rest))")
            }
            if !report.isIntact { throw ExitCode(1) }
        }

        private static func json(_ report: AuditReport) -> JSONValue {
            .object([
                "intact": .bool(report.isIntact), "chains": .int(report.chains), "rows": .int(report.rows),
                "checkpoints": .int(report.checkpoints), "removed_segments": .int(report.removedSegments),
                "unchecked": .int(report.unchecked), "unsealed": .int(report.unsealed), "found": .int(report.found),
                "findings": .array(
                    report.findings.map { finding in
                        .object([
                            "code": .string(finding.kind.code), "tenant": .string(finding.tenant),
                            "seq": .int(finding.seq), "segment": .int(finding.segment),
                            "message": .string(finding.message),
                        ])
                    }),
            ])
        }
    }
}
