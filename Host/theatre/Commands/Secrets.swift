// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Glibc
import Services
import TheatreManifest

/// `theatre secrets`.
struct Secrets: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keep the secrets that plugins.d names as store:NAME, beside a running host or without one.",
        discussion: "Values go in and never come out. A running host uses what was put within a second.",
        subcommands: [List.self, Put.self, Show.self, Delete.self, Rewrap.self], defaultSubcommand: List.self)

    /// `theatre secrets list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List stored secrets, never their values.")
        @OptionGroup var options: OperatorOptions

        func run() throws {
            try options.run { runtime in
                let rows = try SecretVault(runtime).list()
                if options.json { return try Printing.json(.array(rows.map(Secrets.json))) }
                var table = TextTable(["secret", "version", "key version", "put", "by"])
                for row in rows {
                    table.add([
                        row.address.name, "\(row.version)", row.keyVersion, Printing.time(row.createdAt), row.createdBy,
                    ])
                }
                print(table.text)
            }
        }
    }

    /// `theatre secrets put`, which is also how one is rotated.
    struct Put: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Store a value, read from standard input or a file, as the next version.", aliases: ["rotate"])
        @Argument(help: "Its name, as after store: in plugins.d.") var name: String
        @Option(help: "A file with the value; without it, standard input. One line's end is left out.") var file = ""
        @Flag(help: "Say what would be stored, and store nothing.") var dryRun = false
        @OptionGroup var options: OperatorOptions

        func validate() throws { try Secrets.check(name) }

        func run() throws {
            let value = try Secrets.value(file)
            try options.run(opensSecrets: true) { runtime in
                let vault = try SecretVault(runtime)
                let address = SecretAddress(deployment: name)
                let row: SecretRow
                if dryRun {
                    let version = (try vault.versions(of: address).first?.version ?? 0) + 1
                    row = SecretRow(
                        address, version: version, keyVersion: try vault.currentKeyVersion(), wrapped: Data(),
                        sealed: Data(), createdAt: 0, createdBy: vault.actor)
                } else {
                    row = try vault.put(value, address)
                }
                if options.json {
                    return try Printing.json(.object(Secrets.members(row).merging(["dry_run": .bool(dryRun)]) { $1 }))
                }
                print("\(name): version \(row.version) \(dryRun ? "would be stored" : "is stored")")
            }
        }
    }

    /// `theatre secrets show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the versions of a secret, never its values.")
        @Argument(help: "Its name.") var name: String
        @OptionGroup var options: OperatorOptions

        func validate() throws { try Secrets.check(name) }

        func run() throws {
            try options.run { runtime in
                let rows = try SecretVault(runtime).versions(of: SecretAddress(deployment: name))
                guard !rows.isEmpty else { throw ServeFailure("there is no stored secret \(name)") }
                if options.json { return try Printing.json(.array(rows.map(Secrets.json))) }
                var table = TextTable(["version", "value", "key version", "put", "by", "deleted"])
                for row in rows {
                    table.add([
                        "\(row.version)", row.deletedAt == 0 ? "********" : "-", row.keyVersion,
                        Printing.time(row.createdAt), row.createdBy, Printing.time(row.deletedAt),
                    ])
                }
                print(table.text)
            }
        }
    }

    /// `theatre secrets delete`.
    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Erase every version of a secret; its version numbers are not used again.")
        @Argument(help: "Its name.") var name: String
        @Flag(help: "Say what would be erased, and erase nothing.") var dryRun = false
        @OptionGroup var options: OperatorOptions

        func validate() throws { try Secrets.check(name) }

        func run() throws {
            try options.run { runtime in
                let vault = try SecretVault(runtime)
                let address = SecretAddress(deployment: name)
                let count = try vault.versions(of: address).count { $0.deletedAt == 0 }
                guard count > 0 else { throw ServeFailure("there is no stored secret \(name)") }
                if !dryRun { _ = try vault.delete(address) }
                if options.json {
                    return try Printing.json(
                        .object(["name": .string(name), "versions": .int(count), "dry_run": .bool(dryRun)]))
                }
                print("\(name): \(Printing.count(count, "version")) \(dryRun ? "would be erased" : "erased")")
            }
        }
    }

    /// `theatre secrets rewrap`.
    struct Rewrap: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Wrap every data key, of secrets and of persons, by the current master key.",
            discussion: "Each is one commit: started again, it goes on where it was stopped.")
        @Flag(help: "Say how many there are, and change nothing.") var dryRun = false
        @OptionGroup var options: OperatorOptions

        func run() throws {
            try options.run(opensSecrets: true) { runtime in
                let vault = try SecretVault(runtime)
                let current = try vault.currentKeyVersion()
                var done = 0
                while true {
                    let rows = try vault.outdated(current)
                    if rows.isEmpty { break }
                    if dryRun {
                        done = rows.count
                        break
                    }
                    for row in rows {
                        try vault.rewrap(row)
                        done += 1
                    }
                    if rows.count == 100 { printError("\(done) done") }
                }
                while true {
                    let people = try vault.outdatedPeople(current)
                    if people.isEmpty { break }
                    if dryRun {
                        done += people.count
                        break
                    }
                    for row in people {
                        try vault.rewrap(row)
                        done += 1
                    }
                    if people.count == 100 { printError("\(done) done") }
                }
                if options.json {
                    return try Printing.json(
                        .object(["key_version": .string(current), "count": .int(done), "dry_run": .bool(dryRun)]))
                }
                let what = Printing.count(done, "data key")
                print(
                    "\(what)\(dryRun && done >= 100 ? " or more" : "") \(dryRun ? "to wrap" : "wrapped") by \(current)")
            }
        }
    }

    private static func json(_ row: SecretRow) -> JSONValue { .object(members(row)) }

    private static func members(_ row: SecretRow) -> [String: JSONValue] {
        [
            "name": .string(row.address.name), "version": .int(row.version), "key_version": .string(row.keyVersion),
            "created_at": .int(row.createdAt), "created_by": .string(row.createdBy),
            "deleted_at": row.deletedAt == 0 ? .null : .int(row.deletedAt), "value": .string("********"),
        ]
    }

    private static func check(_ name: String) throws {
        guard SecretAddress.isName(name) else {
            throw ValidationError("a name has 1 to 128 letters, digits, dots, _ and -, and no dot first")
        }
    }

    /// From a file or standard input: what is an argument, others see in the list of processes.
    private static func value(_ file: String) throws -> Data {
        let handle = file.isEmpty ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else { throw ValidationError("\(file) cannot be opened") }
        defer { if handle != STDIN_FILENO { close(handle) } }
        var value = Data()
        var room = [UInt8](repeating: 0, count: 4096)
        while value.count <= FileAndEnvironmentSecrets.largestFile {
            let got = read(handle, &room, room.count)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw ValidationError("the value cannot be read") }
            if got == 0 { break }
            value.append(contentsOf: room[..<got])
        }
        guard value.count <= FileAndEnvironmentSecrets.largestFile else {
            throw ValidationError("the value has more than \(FileAndEnvironmentSecrets.largestFile) bytes")
        }
        if value.last == UInt8(ascii: "\n") { value.removeLast() }
        guard !value.isEmpty else { throw ValidationError("the value is empty") }
        return value
    }
}
