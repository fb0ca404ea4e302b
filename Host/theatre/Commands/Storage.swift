// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Glibc
import Runtime
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatreManifest

/// `theatre storage`.
struct Storage: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look after the database, beside a running host or without one.",
        subcommands: [Status.self, Backup.self, Restore.self, Verify.self, Migrations.self],
        defaultSubcommand: Status.self)

    /// `theatre storage status`.
    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what there is and how it fares. Ends with status 1 where nothing can be written.")
        @OptionGroup var options: OperatorOptions

        func run() throws {
            try options.run { runtime in
                let status = try Storage.status(runtime)
                if options.json { try Printing.json(Self.json(status)) } else { print(Self.text(status)) }
                if !status.writable { throw ExitCode(1) }
            }
        }

        private static func text(_ status: SQLStatusResponse) -> String {
            var table = TextTable(["", ""])
            table.add(["engine", "\(status.engine) \(status.version)"])
            table.add(["location", status.location])
            table.add(["bytes", "\(status.bytes)"])
            table.add(["writable", status.writable ? "yes" : "no: \(status.reason)"])
            for (name, value) in status.figures.sorted(by: { $0.key < $1.key }) { table.add([name, "\(value)"]) }
            return String(table.text.drop { $0 == " " || $0 == "\n" })
        }

        private static func json(_ status: SQLStatusResponse) -> JSONValue {
            .object([
                "engine": .string(status.engine), "version": .string(status.version),
                "location": .string(status.location), "bytes": .int(status.bytes),
                "writable": .bool(status.writable), "reason": .text(status.reason),
                "namespaces": .array(status.namespaces.map(Storage.json)),
                "figures": .object(status.figures.mapValues { .int($0) }),
            ])
        }
    }

    /// `theatre storage migrations`.
    struct Migrations: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the instances that have tables, and how many changes of their schema were applied.")
        @OptionGroup var options: OperatorOptions

        func run() throws {
            try options.run { runtime in
                let status = try Storage.status(runtime)
                if options.json { return try Printing.json(.array(status.namespaces.map(Storage.json))) }
                var table = TextTable(["namespace", "migrations", "tables"])
                for namespace in status.namespaces {
                    table.add([namespace.name, "\(namespace.migrations)", "\(namespace.tables)"])
                }
                print(table.text)
            }
        }
    }

    /// `theatre storage backup`.
    struct Backup: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy the database to a new file while it is in use.")
        @Argument(help: "The file, which must not exist.") var path: String
        @Flag(help: "Say what would be copied, and copy nothing.") var dryRun = false
        @OptionGroup var options: OperatorOptions

        func run() throws {
            let path = Storage.absolute(path)
            try options.run(reaching: Storage.folder(of: path, isWritable: true)) { runtime in
                guard !FileManager.default.fileExists(atPath: path) else {
                    throw ServeFailure("\(path) exists; a backup goes to a new file")
                }
                if dryRun {
                    let status = try Storage.status(runtime)
                    guard status.figures["makes_backups"] == 1 else {
                        throw ServeFailure(
                            "sql.backup_elsewhere: \(status.engine) has its own tools; without --dry-run it is said which"
                        )
                    }
                    let folder = URL(filePath: path).deletingLastPathComponent().path
                    guard runtime.isElsewhere || FileManager.default.isWritableFile(atPath: folder) else {
                        throw ServeFailure("\(folder) is no folder that can be written; nothing could be copied to it")
                    }
                    if options.json {
                        return try Printing.json(
                            .object([
                                "dry_run": .bool(true), "bytes": .int(status.bytes), "path": .string(path),
                            ]))
                    }
                    return print("\(status.bytes) bytes of \(status.location) would be copied to \(path)")
                }
                let last = try Storage.copy(
                    runtime, "theatre.sql.v1.Maintenance/Backup", SQLBackupRequest.with { $0.path = path })
                guard runtime.isElsewhere || FileManager.default.fileExists(atPath: path) else {
                    throw ServeFailure("the storage made a backup that is not at \(path): it does not see that folder")
                }
                if options.json {
                    return try Printing.json(
                        .object([
                            "path": .string(path), "pages": .int(last.total), "sha256": .string(last.sha256),
                        ]))
                }
                print("\(path): \(Printing.count(last.total, "page")), SHA-256 \(last.sha256)")
            }
        }
    }

    /// `theatre storage restore`.
    struct Restore: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a backup in the place of the database; the host must be stopped.",
            discussion: "The backup is verified first. The replaced database is kept beside it.")
        @Argument(help: "The backup.") var path: String
        @Flag(help: "Verify the backup, and replace nothing.") var dryRun = false
        @OptionGroup var options: OperatorOptions

        func run() throws {
            let path = Storage.absolute(path)
            try options.run(reaching: Storage.folder(of: path)) { runtime in
                let report = try Storage.verify(path, runtime)
                guard report.findings.isEmpty else {
                    for finding in report.findings { printError(finding) }
                    throw ServeFailure("\(path) is damaged; nothing was replaced")
                }
                if !dryRun {
                    _ = try Storage.copy(
                        runtime, "theatre.sql.v1.Maintenance/Restore", SQLRestoreRequest.with { $0.path = path })
                }
                if options.json {
                    return try Printing.json(
                        .object([
                            "path": .string(path), "restored": .bool(!dryRun), "dry_run": .bool(dryRun),
                        ]))
                }
                print(
                    dryRun
                        ? "\(path) is sound and would be put in place; nothing was replaced"
                        : "\(path) is in place; what it replaced is kept beside it")
            }
        }
    }

    /// `theatre storage verify`.
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read everything and check it. Ends with status 1 where something is wrong.")
        @Argument(help: "A backup; without it, the database itself.") var path = ""
        @OptionGroup var options: OperatorOptions

        func run() throws {
            let path = path.isEmpty ? "" : Storage.absolute(path)
            try options.run(reaching: path.isEmpty ? [] : Storage.folder(of: path)) { runtime in
                let report = try Storage.verify(path, runtime)
                if options.json {
                    try Printing.json(
                        .object([
                            "ok": .bool(report.findings.isEmpty), "pages": .int(report.pages),
                            "findings": .array(report.findings.map { .string($0) }),
                        ]))
                } else if report.findings.isEmpty {
                    print("\(Printing.count(report.pages, "page")) read, nothing is wrong")
                } else {
                    for finding in report.findings { print(finding) }
                }
                if !report.findings.isEmpty { throw ExitCode(1) }
            }
        }
    }

    static func status(_ runtime: OperatorRuntime) throws -> SQLStatusResponse {
        try runtime.call("theatre.sql.v1.Maintenance/Status", SQLStatusRequest())
    }

    private static func verify(_ path: String, _ runtime: OperatorRuntime) throws -> SQLVerifyResponse {
        try runtime.call(
            "theatre.sql.v1.Maintenance/Verify", SQLVerifyRequest.with { $0.path = path }, timeout: longest)
    }

    /// Copies with a line of progress where a person watches.
    private static func copy(
        _ runtime: OperatorRuntime, _ operation: String, _ request: some Message
    ) throws -> SQLBackupProgress {
        let last = Mutex(SQLBackupProgress())
        let isWatched = isatty(STDERR_FILENO) == 1
        try runtime.stream(operation, request, timeout: longest) { (progress: SQLBackupProgress) in
            last.withLock { $0 = progress }
            if isWatched, progress.total > 0 {
                ProgressLine.show("\(progress.copied * 100 / progress.total) %", isLast: progress.done)
            }
        }
        let progress = last.withLock { $0 }
        guard progress.done else {
            throw ServeFailure("it ended before all was copied; remove what is there and try again")
        }
        return progress
    }

    /// Longest backup, restore or verification.
    private static let longest = Duration.seconds(24 * 3600)

    private static func json(_ namespace: SQLNamespaceStatus) -> JSONValue {
        .object([
            "name": .string(namespace.name), "migrations": .int(namespace.migrations),
            "tables": .int(namespace.tables),
        ])
    }

    /// A sandbox has a place of its own where others have this folder, unless it is let in.
    private static func folder(of path: String, isWritable: Bool = false) -> [SandboxPlan.File] {
        let folder = URL(filePath: path).deletingLastPathComponent().path
        return FileManager.default.fileExists(atPath: folder) ? [.init(path: folder, isWritable: isWritable)] : []
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
    }
}

/// A line of progress on standard error that is written over.
private enum ProgressLine {
    static func show(_ text: String, isLast: Bool) {
        let bytes = Array("\r\(text)\(isLast ? "\n" : "")".utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
