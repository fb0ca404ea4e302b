// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOHTTP1
import Testing
import TheatreManifest

/// A route as the running server describes it.
struct DeclaredRoute: CustomStringConvertible {
    let method: HTTPMethod
    let path: String
    let access: String
    let scope: String
    let role: String
    let resource: String
    let action: String

    var description: String { "\(method) \(path)" }
    var isOfProject: Bool { !role.isEmpty }
    var isOfRow: Bool { scope.hasPrefix("row:") }

    /// Every route of `/openapi.json`.
    static func all(of description: JSONValue) -> [DeclaredRoute] {
        (description["paths"]?.object ?? [:]).flatMap { path, methods in
            (methods.object ?? [:]).compactMap { method, operation in
                guard let access = operation["x-theatre-access"]?.string else { return nil }
                return DeclaredRoute(
                    method: HTTPMethod(rawValue: method.uppercased()), path: path, access: access,
                    scope: operation["x-theatre-scope"]?.string ?? "", role: operation["x-theatre-role"]?.string ?? "",
                    resource: operation["x-theatre-resource"]?.string ?? "",
                    action: operation["x-theatre-action"]?.string ?? "")
            }
        }.sorted { $0.description < $1.description }
    }

    /// The path with its parameters filled in.
    ///
    /// - Parameter rows: by the name of their parameter.
    func filled(project: String, rows: [String: String]) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).map { part in
            guard let open = part.firstIndex(of: "{"), let close = part.firstIndex(of: "}") else { return String(part) }
            let value =
                switch part[open...close] {
                case "{project_id}": project
                case "{user_id}": "usr_somebody"
                default: rows[String(part[open...close].dropFirst().dropLast())] ?? "x"
                }
            return part[..<open] + value + part[part.index(after: close)...]
        }.joined(separator: "/")
    }
}

/// What `theatre authz matrix` prints of a deployment.
struct PrintedMatrix {
    private let answers: [String: JSONValue]

    init(_ deployment: String) async throws {
        let printed = try await theatre(["authz", "matrix", "--json"] + ServerProcess.options(deployment, nil))
        let rows = try JSONValue(json: Data(printed.output.utf8)).array ?? []
        answers = Dictionary(
            rows.compactMap { row in row["route"]?.string.map { ($0, row["answers"] ?? .null) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// Nil where it is let in.
    func status(_ route: DeclaredRoute, _ asker: Asker) throws -> Int? {
        let answer = try #require(answers["\(route.method.rawValue) \(route.path)"]?[asker.printed])
        return answer["status"]?.integer.map(Int.init)
    }
}

/// Who asks.
enum Asker: String, CaseIterable {
    case owner, admin, editor, viewer, expired
    case ofAnotherProject = "another project"
    case ofAnotherTenant = "another tenant"
    case tenantAdmin = "tenant admin"
    case service, banned
    case signedOut = "signed out"

    /// As `theatre authz matrix` calls him.
    var printed: String {
        switch self {
        case .ofAnotherProject: "other-project"
        case .ofAnotherTenant: "other-tenant"
        case .tenantAdmin: "tenant-admin"
        case .signedOut: "signed-out"
        case .owner, .admin, .editor, .viewer, .expired, .service, .banned: rawValue
        }
    }

    /// What he is to the project.
    private var rank: Int {
        switch self {
        case .owner: 4
        case .admin, .tenantAdmin: 3
        case .editor: 2
        case .viewer: 1
        case .expired, .ofAnotherProject, .ofAnotherTenant, .service, .banned, .signedOut: 0
        }
    }

    /// What the declaration says he is answered: nil where he is let in.
    func refusal(_ route: DeclaredRoute) -> (status: Int, reason: String)? {
        if self == .banned { return (401, "auth.revoked") }
        if route.access == "anyone" { return nil }
        if self == .signedOut { return (401, "auth.token_missing") }
        let isCalled =
            switch route.access {
            case "service": self == .service
            case "admin": self == .tenantAdmin
            default: self != .service
            }
        guard isCalled else { return (403, "auth.access") }
        guard let needed = ["viewer", "editor", "admin", "owner"].firstIndex(of: route.role) else { return nil }
        return rank > needed ? nil : (403, "access.denied")
    }
}

/// What the audit log has to say of one refusal.
struct RefusalRow: Hashable, CustomStringConvertible {
    let actor: String
    let route: String
    let resource: String
    let action: String
    let reason: String

    var description: String { "\(actor.isEmpty ? "a stranger" : actor) on \(route) (\(resource):\(action)): \(reason)" }

    /// Every one of a log, as `theatre audit list --json` prints it.
    static func all(of log: JSONValue) -> Set<RefusalRow> {
        func text(_ row: JSONValue, _ key: String) -> String { row[key]?.string ?? "" }
        return Set(
            (log.array ?? []).filter { text($0, "outcome") == "refused" }.map {
                RefusalRow(
                    actor: text($0, "actor"), route: text($0, "route"), resource: text($0, "resource"),
                    action: text($0, "action"), reason: text($0, "reason"))
            })
    }
}
