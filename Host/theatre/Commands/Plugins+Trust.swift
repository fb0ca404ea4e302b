// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Registry
import Runtime
import TheatreManifest
import Trust

extension Plugins {
    /// `theatre plugins lock`.
    struct Lock: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write plugins.d/plugins.lock: which builds may run, and with which grants.",
            discussion: """
                Prints what changes. The lock names every enabled instance and its plugin's build for this architecture;
                builds for others are kept where the version is the same. A build that the lock names otherwise is not
                loaded; what it does not name is treated by trust.unlocked in 00-host.yaml. A badge that
                `theatre plugin validate --badge` left beside a library, as libNAME.so.badge, is taken into the lock.
                """)
        @OptionGroup var deployment: DeploymentOptions
        @Flag(help: "Write nothing; end with status 1 if the lock does not fit the deployment.") var check = false
        @Flag(help: "Write nothing; print what would change.") var dryRun = false

        func run() throws {
            let folder = deployment.pluginsD
            let old: LockFile?
            let next: LockFile
            do {
                old = try LockFile.read(folder: folder)
                let deployment = try CompiledDeployment.read(folder: folder, libraries: deployment.libraryFolder)
                next = try LockFile(deployment, keeping: old)
            } catch {
                printError("\(error)")
                throw ExitCode(1)
            }
            let changes = (old ?? LockFile()).changes(to: next)
            for change in changes { print(change) }
            if changes.isEmpty { print("\(LockFile.name) fits the deployment") }
            if check, !changes.isEmpty { throw ExitCode(1) }
            guard !check, !dryRun, !changes.isEmpty else { return }
            try Data(next.text().utf8).write(to: URL(filePath: "\(folder)/\(LockFile.name)"), options: .atomic)
        }
    }

    /// `theatre plugins verify`.
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Say of every instance whether its library is locked, signed, validated and safe, as the host judges it.",
            discussion: "Ends with status 1 if the host would refuse one.")
        @OptionGroup var deployment: DeploymentOptions
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            let rows: [Row]
            do { rows = try judged() } catch {
                printError("\(error)")
                throw ExitCode(1)
            }
            if json { try Printing.json(.array(rows.map(\.json))) } else { printTable(rows) }
            if rows.contains(where: \.isRefused) { throw ExitCode(1) }
        }

        private func judged() throws -> [Row] {
            let folder = deployment.pluginsD
            let read = try CompiledDeployment.read(folder: folder, libraries: deployment.libraryFolder)
            let policy = try TrustPolicy(read.host.trust, folder: folder)
            return try read.instances.filter(\.enabled).compactMap { instance in
                guard let file = read.files[instance.plugin] else { return nil }
                let keys = read.host.trust.signatures
                let signer = keys.isEmpty ? nil : try Signature.signer(file, library: file.path, folder: keys)
                let badge = policy.badge(file)
                return Row(
                    instance: instance.name, file: file, isLocked: policy.isLocked(file), signer: signer, badge: badge,
                    findings: policy.findings(instance, file))
            }
        }

        private struct Row {
            let instance: String
            let file: PluginFile
            let isLocked: Bool
            let signer: String?
            /// In words; nil where there is none of this build.
            let badge: String?
            let findings: [LibraryFinding]

            var isRefused: Bool { findings.contains(where: \.refuses) }
            var verdict: String { isRefused ? "refused" : findings.isEmpty ? "ok" : "warned" }

            var json: JSONValue {
                .object([
                    "instance": .string(instance), "plugin": .string(file.manifest.name),
                    "version": .string(file.manifest.version), "digest": .string(file.digest),
                    "locked": .bool(isLocked), "signed_by": signer.map { .string($0) } ?? .null,
                    "badge": badge.map { .string($0) } ?? .null, "verdict": .string(verdict),
                    "findings": .array(
                        findings.map {
                            .object([
                                "code": .string($0.error.code), "message": .string($0.error.description),
                                "refuses": .bool($0.refuses),
                            ])
                        }),
                ])
            }
        }

        private func printTable(_ rows: [Row]) {
            var table = TextTable([
                "instance", "plugin", "version", "digest", "locked", "signed by", "badge", "verdict",
            ])
            for row in rows {
                table.add([
                    row.instance, row.file.manifest.name, row.file.manifest.version, String(row.file.digest.prefix(12)),
                    row.isLocked ? "yes" : "no", row.signer ?? "-", row.badge ?? "-", row.verdict,
                ])
            }
            print(table.text)
            for finding in rows.flatMap(\.findings) { print(finding.error) }
        }
    }

    /// `theatre plugins sign`.
    struct Sign: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sign libraries with an operator's key.",
            discussion: """
                Make a key once, and put its public half where the hosts look (trust.signatures in 00-host.yaml):
                  openssl genpkey -algorithm ed25519 -out operator.pem
                  openssl pkey -in operator.pem -pubout -out keys/operator.pem
                The signature is appended to libNAME.so.sig beside the library. It holds for this build alone. Where a
                badge stands beside the library, as libNAME.so.badge, it is signed too.
                """)
        @Option(
            name: .customLong("plugins"),
            help: ArgumentHelp(DeploymentOptions.librariesHelp))
        var folder: String?
        @Option(help: "PEM file of an Ed25519 private key.") var key: String
        @Option(help: "The key's name: that of its public half in the keys' folder, without .pem.") var name: String
        @Argument(help: "Names of plugins, such as Ledger.") var plugins: [String]

        func run() throws {
            for plugin in plugins {
                let path = LibraryPath(Installation.current.libraries(folder)).file(of: plugin)
                do {
                    let file = try PluginFile(name: plugin, path: path)
                    let line = try Signature.line(file, name: name, key: key)
                    let target = URL(filePath: Signature.path(of: path))
                    let old = (try? Data(contentsOf: target)) ?? Data()
                    try (old + Data(line.utf8)).write(to: target, options: .atomic)
                    let hasBadge = try Badge.sign(file, name: name, key: key)
                    print(
                        "\(plugin) \(file.manifest.version) \(file.digest.prefix(12)) signed by \(name)"
                            + (hasBadge ? ", and its badge" : ""))
                } catch {
                    printError("\(error)")
                    throw ExitCode(1)
                }
            }
        }
    }
}
