// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreContracts

@testable import Gateway
@testable import Runtime

/// Whose somebody is: by his token, else by the host name he came by.
struct TenantTests {
    private static let calls = RequestTests.echo()

    private func bench() throws -> Bench {
        let bench = try Bench(
            Self.calls,
            [
                .echo("GET", "/open", on: Self.calls), .echo("GET", "/echo", on: Self.calls, access: "user"),
            ]
        ) {
            $0.tenants = [
                "acme": .init(hosts: ["acme.example.org", "acme.test"]),
                "gone": .init(hosts: ["gone.example.org"], isClosed: true),
            ]
        }
        for tenant in ["default", "acme", "gone"] {
            bench.know(tenant, Principal(id: "usr_\(tenant)", kind: .user, tenant: tenant, expiresAt: .max))
        }
        return bench
    }

    private func ask(_ bench: Bench, _ target: String, host: String, _ token: String? = nil) throws -> String {
        let field = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        return try bench.send("GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\(field)\r\n")
    }

    @Test(arguments: [
        ("acme.example.org", "acme"), ("ACME.Example.Org:8443", "acme"), ("acme.test", "acme"),
        ("other.example.org", "default"), ("acme.example.org.evil.test", "default"), ("[::1]:80", "default"),
    ])
    func aStrangerIsOfTheTenantWhoseHostHeCameBy(_ host: String, _ tenant: String) throws {
        let bench = try bench()
        #expect(try ask(bench, "/open", host: host).dropFirst(9).prefix(3) == "200")
        #expect(try #require(Self.calls.calls.last).context.message.tenant == tenant)
    }

    @Test func aTokenSaysWhoseItIsWhateverTheHost() throws {
        let bench = try bench()
        #expect(try ask(bench, "/echo", host: "acme.test", "default").dropFirst(9).prefix(3) == "200")
        #expect(try #require(Self.calls.calls.last).context.message.tenant == "default")
    }

    @Test func nobodyOfAClosedTenantIsLetIn() throws {
        let bench = try bench()
        for (target, host, token) in [
            ("/open", "gone.example.org", nil), ("/echo", "acme.test", "gone"), ("/open", "acme.test", "gone"),
        ] as [(String, String, String?)] {
            let answer = try ask(bench, target, host: host, token)
            #expect(answer.dropFirst(9).prefix(3) == "403" && answer.contains("auth.tenant_closed"), "\(answer)")
        }
        #expect(try ask(bench, "/open", host: "acme.test").dropFirst(9).prefix(3) == "200")
    }
}
