// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Runtime

/// Measures the host against the bare equivalents of what it does.
@main
enum Benchmarks {
    private static let usage = """
        usage: benchmarks [--json] [--theatre PROGRAM] [--plugins-d FOLDER] [call] [typed] [http] [swap] [isolated]
                          [packs] [routes] [start] [access] [storage | sqlite | postgresql]
        packs: a chapter judged by culture packs.
        access: a host with accounts and projects, by HTTP, also on PostgreSQL.
        storage is sqlite and postgresql: reads, writes, events and jobs through the plugin, on a disk of this machine.
        Without names everything is measured. Missed targets are printed; only what breaks ends it with an error.
        """

    static func main() async {
        var names: Set<String> = []
        var program = ".build/release/theatre", folder = "plugins.d", isJSON = false
        var arguments = CommandLine.arguments.dropFirst().makeIterator()
        while let argument = arguments.next() {
            switch argument {
            case "--json": isJSON = true
            case "--theatre": program = arguments.next() ?? program
            case "--plugins-d": folder = arguments.next() ?? folder
            case "call", "typed", "http", "swap", "isolated", "packs", "routes", "start", "access", "sqlite",
                "postgresql":
                names.insert(argument)
            case "storage": names.formUnion(["sqlite", "postgresql"])
            default:
                print(usage)
                exit(2)
            }
        }
        do {
            try await run(names, program, folder, isJSON)
        } catch {
            print("failed: \(error)")
            exit(1)
        }
        // Threads of loaded libraries go with the process.
        exit(0)
    }

    private static func run(_ names: Set<String>, _ program: String, _ folder: String, _ isJSON: Bool) async throws {
        func wants(_ name: String) -> Bool { names.isEmpty || names.contains(name) }
        var table = Table(isJSON: isJSON)
        let libraries = URL(filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            .deletingLastPathComponent().path
        if wants("isolated") {
            let world = try World(libraries: libraries, folder: "Tests/Benchmarks/plugins.d", mode: .isolated)
            try Isolating.run(world, &table)
            try await Remoting.run(world, &table)
            world.stop()
        }
        if wants("call") || wants("typed") || wants("http") || wants("swap") {
            let world = try World(libraries: libraries, folder: "Tests/Benchmarks/plugins.d")
            if wants("call") { try Dispatching.run(world, &table) }
            if wants("typed") { try await Typing.run(world, &table) }
            if wants("http") { try await Echoing.run(world, &table) }
            if wants("swap") { try await Swapping.run(world, &table) }
            world.stop()
        }
        if wants("packs") {
            let world = try World(libraries: libraries, folder: "Tests/Benchmarks/packs.d")
            try await Judging.run(world, &table)
            world.stop()
        }
        if wants("routes") { try Routes.run(&table) }
        if wants("sqlite") { try await Storing.onSQLite(libraries, &table) }
        if wants("postgresql") { try await Storing.onPostgreSQL(libraries, &table) }
        if wants("access") { try await Serving.run(program: program, defaults: folder, &table) }
        if wants("start") { try Starting.run(program: program, folder: folder, &table) }
        try table.finish()
    }
}
