// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOCore
import NIOEmbedded
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatreManifest

@testable import Gateway
@testable import Runtime

/// Routes of projects: who is let in, what the plugin is told, and what is asked for how often.
struct ProjectRouteTests {
    private let calls = FakeCalls()
    private let records = Records()
    private let bench: Bench

    final class Records: Sendable {
        private let rows = Mutex<[AuditRecord]>([])
        func append(_ row: AuditRecord) { rows.withLock { $0.append(row) } }
        var all: [AuditRecord] { rows.withLock { $0 } }
    }

    init() throws {
        calls.serve("test.Echo/Echo") { .success($0.payload) }
        calls.serveStandings { asked in
            switch (asked.principal, asked.project) {
            case ("usr_1", "prj_1"): (.editor, .active)
            case ("usr_1", "prj_old"): (.editor, .archived)
            case (_, "prj_1"): (.unspecified, .active)
            default: (.unspecified, .unspecified)
            }
        }
        calls.serve("theatre.access.v1.Scopes/ResolveProject") { call in
            guard let asked = try? AccessResolveProjectRequest(serializedBytes: call.payload), asked.id == "run_1"
            else {
                return .failure(CallError(.notFound, "echo.no_run", "There is no such run."))
            }
            return .success(FakeCalls.wire(AccessResolveProjectResponse.with { $0.project = "prj_1" }))
        }
        var services = GatewayServices()
        let records = records
        services.audit = { records.append($0) }
        bench = try Bench(
            calls,
            [
                .echo(
                    "GET", "/p/{project_id}", on: calls, access: "user", scope: "project:{project_id}", role: "viewer"),
                .echo(
                    "POST", "/p/{project_id}", on: calls, access: "user", scope: "project:{project_id}", role: "editor"),
                .echo(
                    "DELETE", "/p/{project_id}", on: calls, access: "user", scope: "project:{project_id}",
                    role: "owner"),
                .echo("GET", "/runs/{run_id}", on: calls, access: "user", scope: "row:{run_id}", role: "viewer"),
            ], services: services, policy: "access")
        for user in ["usr_1", "usr_2"] {
            bench.know(user, Principal(id: user, kind: .user, tenant: "t1", expiresAt: .max))
        }
    }

    private func ask(_ method: String, _ path: String, as user: String = "usr_1") throws -> String {
        try bench.send(request(method, path, ["Authorization: Bearer \(user)"]))
    }

    private func count(_ operation: String) -> Int { calls.calls.count { $0.operation == operation } }

    @Test func aMemberIsLetInAndThePluginLearnsTheProjectAndTheDecision() throws {
        #expect(try ask("GET", "/p/prj_1").hasPrefix("HTTP/1.1 200 "))
        let context = try #require(calls.calls.last?.context.message)
        #expect(context.project == "prj_1" && context.decision == "allowed: viewer needed, editor held")
        #expect(context.tenant == "t1" && context.principal == "usr_1")
        #expect(calls.calls.first?.context.message.tenant == "t1")
    }

    @Test(arguments: [
        ("DELETE", "/p/prj_1", "usr_1", "access.denied"), ("GET", "/p/prj_1", "usr_2", "access.denied"),
        ("GET", "/p/prj_2", "usr_1", "access.denied"), ("POST", "/p/prj_old", "usr_1", "access.archived"),
        ("GET", "/runs/run_1", "usr_2", "access.denied"),
    ])
    func whoMayNotIsRefusedAuditedAndReachesNoPlugin(
        _ method: String, _ path: String, _ user: String, _ reason: String
    ) throws {
        let answer = try ask(method, path, as: user)
        #expect(answer.hasPrefix("HTTP/1.1 403 ") && answer.contains("\"reason\":\"\(reason)\""), "\(answer)")
        #expect(count("test.Echo/Echo") == 0)
        let row = try #require(records.all.first)
        let context = try HostContext(serializedBytes: row.context)
        #expect(row.outcome == "refused" && row.reason == reason)
        #expect(context.principal == user && context.resource == "echo" && context.action == "echo")
        // The answer's decision id finds the row.
        let id = try #require(answer.firstMatch(of: #/"decision":"(dec_[0-9A-Z]{26})"/#)?.output.1)
        #expect(context.decision.hasSuffix("; \(id)") && context.decision.hasPrefix("refused: \(reason); "))
    }

    @Test func aStrangerIsNotAskedAbout() throws {
        #expect(try bench.send(request("GET", "/p/prj_1")).hasPrefix("HTTP/1.1 401 "))
        #expect(count("theatre.access.v1.Policy/GetStanding") == 0)
    }

    @Test func aRowIsOfTheProjectThatItsPluginSays() throws {
        #expect(try ask("GET", "/runs/run_1").hasPrefix("HTTP/1.1 200 "))
        #expect(calls.calls.last?.context.message.project == "prj_1")
        let missing = try ask("GET", "/runs/run_2")
        // As any other that is not his.
        #expect(missing.hasPrefix("HTTP/1.1 403 ") && missing.contains("access.denied"))
        _ = try ask("GET", "/runs/run_1")
        #expect(count("theatre.access.v1.Scopes/ResolveProject") == 2)
    }

    @Test func aStandingIsAskedForOnceUntilSomethingChanges() throws {
        for _ in 0..<3 { _ = try ask("GET", "/p/prj_1") }
        #expect(count("theatre.access.v1.Policy/GetStanding") == 1)
        bench.core.accessEpoch.add(1, ordering: .releasing)
        for _ in 0..<3 { _ = try ask("GET", "/p/prj_1") }
        #expect(count("theatre.access.v1.Policy/GetStanding") == 2)
    }

    @Test func nobodyIsLetInWhileThePolicyCannotBeAsked() throws {
        calls.serve("theatre.access.v1.Policy/GetStanding") { _ in
            .failure(CallError(.unavailable, "sql.unavailable", "The database is away.", retry: .safe))
        }
        #expect(try ask("GET", "/p/prj_1").hasPrefix("HTTP/1.1 503 "))
        #expect(count("test.Echo/Echo") == 0)
    }

    @Test func aBodyThatComesBeforeTheDecisionIsKept() throws {
        let open = FakeCalls()
        open.serve("test.Echo/Echo") { .success($0.payload) }
        open.serve("theatre.access.v1.Policy/GetStanding") { _ in nil }
        let slow = try Bench(
            open,
            [.echo("POST", "/p/{id}", on: open, access: "user", scope: "project:{id}", role: "editor")],
            policy: "access")
        slow.know("usr_1", Principal(id: "usr_1", kind: .user, tenant: "t1", expiresAt: .max))
        #expect(
            try slow.send(request("POST", "/p/prj_1", ["Authorization: Bearer usr_1"], body: "whole")).isEmpty)
        open.finish(.success(FakeCalls.standing(.editor, .active)))
        slow.loop.run()
        let answer = try slow.received()
        #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("id=prj_1;whole"), "\(answer)")
    }

    private func explain(_ query: String, as user: String = "usr_1") throws -> JSONValue {
        let answer = try ask("GET", "/api/v1/authz/explain?\(query)", as: user)
        let body = try #require(answer.firstRange(of: "\r\n\r\n"))
        return try JSONValue(json: .init(answer[body.upperBound...].utf8))
    }

    @Test func anExplanationSaysWhatDecidesAndTheLeastThatWouldLetOneIn() throws {
        let may = try explain("method=GET&path=/runs/run_1")
        #expect(may["allowed"] == .bool(true) && may["project"]?.string == "prj_1")
        #expect(may["path"]?.string == "viewer needed, editor held" && may["grant"] == .null)
        let mayNot = try explain("method=DELETE&path=/p/prj_1")
        #expect(mayNot["allowed"] == .bool(false) && mayNot["reason"]?.string == "access.denied")
        #expect(mayNot["grant"]?["role"]?.string == "OWNER" && mayNot["grant"]?["user_id"]?.string == "usr_1")
        #expect(mayNot["path"]?.string == "owner needed, editor held")
        #expect(try explain("path=/nowhere").value(at: "/details/reason")?.string == "request.no_route")
        #expect(try explain("method=GET").value(at: "/details/reason")?.string == "access.explain")
        #expect(count("test.Echo/Echo") == 0)
    }

    @Test func whatOthersMayIsToldToThoseWhoLookAfterTheProject() throws {
        let question = "method=GET&path=/p/prj_1&principal=usr_2"
        #expect(try ask("GET", "/api/v1/authz/explain?\(question)").hasPrefix("HTTP/1.1 403 "))
        bench.know("admin", Principal(id: "usr_9", kind: .user, roles: ["admin"], tenant: "t1", expiresAt: .max))
        let told = try explain(question, as: "admin")
        #expect(told["allowed"] == .bool(false) && told["principal"]?.string == "usr_2")
        #expect(told["path"]?.string == "viewer needed, nothing held" && told["grant"]?["role"]?.string == "VIEWER")
        #expect(try bench.send(request("GET", "/api/v1/authz/explain?path=/p/prj_1")).hasPrefix("HTTP/1.1 401 "))
    }

    @Test func withoutAPolicyNobodyIsLetIn() throws {
        let open = FakeCalls()
        let alone = try Bench(
            open, [.echo("GET", "/p/{id}", on: open, access: "user", scope: "project:{id}", role: "viewer")])
        alone.know("usr_1", Principal(id: "usr_1", kind: .user, tenant: "t1", expiresAt: .max))
        let answer = try alone.send(request("GET", "/p/prj_1", ["Authorization: Bearer usr_1"]))
        #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("access.no_policy") && open.calls.isEmpty)
    }
}

extension FakeCalls {
    /// Serves what principals are to projects.
    func serveStandings(
        _ body: @escaping @Sendable (AccessGetStandingRequest) -> (AccessRole, AccessProjectStatus)
    ) {
        serve("theatre.access.v1.Policy/GetStanding") { call in
            guard let asked = try? AccessGetStandingRequest(serializedBytes: call.payload) else {
                return .failure(CallError(.invalidArgument, "fake.request", "it cannot be read"))
            }
            let (role, status) = body(asked)
            return .success(Self.standing(role, status))
        }
    }

    static func standing(_ role: AccessRole, _ status: AccessProjectStatus) -> [UInt8] {
        wire(
            AccessStanding.with {
                $0.role = role
                $0.status = status
            })
    }

    static func wire(_ message: some Message) -> [UInt8] {
        do { return try message.serializedBytes() } catch {
            preconditionFailure("the message of the test cannot be written: \(error)")
        }
    }
}
