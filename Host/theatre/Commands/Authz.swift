// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Gateway
import Registry
import Runtime
import TheatreManifest

/// `theatre authz`.
struct Authz: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Who may do what.", subcommands: [AuthzMatrix.self])
}

/// `theatre authz matrix`.
struct AuthzMatrix: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "matrix",
        abstract: "Print what every route answers everybody.",
        discussion: """
            From what the deployment declares, by the rules by which the host decides: yes, 401 or 403 for each route and \
            each kind of caller, as seen from the project that the request is about. Roles of a tenant's own, hours, \
            networks and approvals are stored, and not in here; a server tells of one request at /api/v1/authz/explain.
            """)

    @OptionGroup var deployment: DeploymentOptions

    @Flag(help: "Print the matrix as JSON.")
    var json = false

    func run() throws {
        let compiled: CompiledDeployment
        do throws(DeploymentFaults) {
            compiled = try CompiledDeployment.read(folder: deployment.pluginsD, libraries: deployment.libraryFolder)
        } catch {
            printError("\(error)")
            throw ExitCode(1)
        }
        let rows = compiled.table.instances.flatMap { instance -> [Row] in
            let routes = compiled.files[instance.declaration.plugin]?.manifest.routes ?? []
            return routes.map { Row(route: $0, instance: instance.declaration.name, cells: AccessMatrix.cells($0)) }
        }.sorted { ($0.route.path, $0.route.method) < ($1.route.path, $1.route.method) }
        if json { try printJSON(rows) } else { printText(rows) }
    }

    private struct Row {
        var route: Manifest.Route
        var instance: String
        var cells: [AccessMatrix.Cell]
    }

    private func printText(_ rows: [Row]) {
        var table = TextTable(
            ["ROUTE", "RESOURCE:ACTION"] + AccessMatrix.Asker.allCases.map { $0.rawValue.uppercased() })
        for row in rows {
            table.add(
                ["\(row.route.method) \(row.route.path)", "\(row.route.resource):\(row.route.action)"]
                    + row.cells.map(\.text))
        }
        print(table.text)
    }

    private func printJSON(_ rows: [Row]) throws {
        try Printing.json(
            .array(
                rows.map { row in
                    let answers = zip(AccessMatrix.Asker.allCases, row.cells).map { asker, cell in
                        (
                            asker.rawValue,
                            JSONValue.object([
                                "allowed": .bool(cell.status == 0),
                                "status": cell.status == 0 ? .null : JSONValue.int(cell.status),
                                "reason": JSONValue.text(cell.reason),
                            ])
                        )
                    }
                    return .object([
                        "route": .string("\(row.route.method) \(row.route.path)"), "instance": .string(row.instance),
                        "resource": .string(row.route.resource), "action": .string(row.route.action),
                        "scope": .string(row.route.scope), "role": JSONValue.text(row.route.role),
                        "answers": .object(Dictionary(uniqueKeysWithValues: answers)),
                    ])
                }))
    }
}
