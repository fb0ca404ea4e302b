// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOCore
import Testing

@testable import Gateway
@testable import Runtime

/// What pages may do: ours, those of other origins, and those of an attacker.
@Suite struct CrossOriginTests {
    private static let console = "https://console.example.org"

    private func bench(_ configure: (inout GatewayConfiguration) -> Void = { _ in }) throws -> Bench {
        let calls = RequestTests.echo()
        let entries: [RouteEntry] = [
            .echo("GET", "/echo", on: calls, access: "user"), .echo("POST", "/echo", on: calls, access: "user"),
            .echo("POST", "/open", on: calls),
        ]
        let bench = try Bench(calls, entries) {
            $0.allowsCookies = true
            configure(&$0)
        }
        bench.know("good", Principal(id: "usr_a", kind: .user, expiresAt: .max))
        return bench
    }

    private func status(_ answer: String) -> String { String(answer.dropFirst(9).prefix(3)) }

    // MARK: Fields of every answer

    @Test func everyAnswerTellsBrowsersToGuessFrameRunAndKeepNothing() throws {
        let bench = try bench()
        for (method, target) in [("GET", "/healthz"), ("GET", "/none"), ("POST", "/open"), ("HEAD", "/healthz")] {
            let answer = try bench.send(request(method, target))
            for line in [
                "x-content-type-options: nosniff", "cache-control: no-store", "referrer-policy: no-referrer",
                "content-security-policy: default-src 'none'; frame-ancestors 'none'",
            ] {
                #expect(answer.components(separatedBy: "\(line)\r\n").count == 2, "\(method) \(target): \(answer)")
            }
            #expect(!answer.contains("strict-transport-security"), "not over plain HTTP")
        }
        let secured = try self.bench { $0.publicURL = "https://theatre.example.org" }
        #expect(try secured.send(request("GET", "/healthz")).contains("strict-transport-security: max-age=31536000; "))
    }

    @Test func whatAPluginSaysOfAFieldStands() {
        var out = ByteBuffer()
        FixedFields(hstsSeconds: 0).write(into: &out, unlessIn: [("Cache-Control", "public"), ("x-own", "1")])
        let text = String(buffer: out)
        #expect(!text.contains("cache-control") && text.contains("x-content-type-options: nosniff\r\n"))
    }

    // MARK: CORS

    @Test func withoutAConfigurationNoPageOfAnotherOriginReadsAnything() throws {
        let bench = try bench()
        let answer = try bench.send(request("GET", "/healthz", ["Origin: \(Self.console)"]))
        #expect(!answer.contains("access-control"))
        let asked = try bench.send(
            request("OPTIONS", "/echo", ["Origin: \(Self.console)", "Access-Control-Request-Method: POST"]))
        #expect(status(asked) == "405" && !asked.contains("access-control"))
    }

    @Test func anOriginThatIsNamedMayAskAndReadItsErrorsToo() throws {
        let bench = try bench { $0.crossOrigin.origins = [Self.console] }
        let asked = try bench.send(
            request("OPTIONS", "/echo", ["Origin: \(Self.console)", "Access-Control-Request-Method: POST"]))
        #expect(status(asked) == "204", "\(asked)")
        for line in [
            "access-control-allow-origin: \(Self.console)", "vary: Origin", "access-control-max-age: 600",
            "access-control-allow-methods: GET, HEAD, POST, PUT, PATCH, DELETE",
        ] {
            #expect(asked.contains("\(line)\r\n"), "\(asked)")
        }
        #expect(asked.contains("authorization, ") && !asked.contains("allow-credentials"))
        let refused = try bench.send(request("GET", "/echo", ["Origin: \(Self.console)"]))
        #expect(status(refused) == "401" && refused.contains("access-control-allow-origin: \(Self.console)\r\n"))
        let other = try bench.send(request("GET", "/echo", ["Origin: https://console.example.org.evil.example"]))
        #expect(!other.contains("access-control") && other.contains("vary: Origin\r\n"))
        let null = try bench.send(request("GET", "/echo", ["Origin: null"]))
        #expect(!null.contains("access-control"))
    }

    // MARK: Cookies

    private func post(_ path: String = "/echo", _ fields: [String]) -> String {
        request("POST", path, ["Cookie: other=1; theatre=good"] + fields)
    }

    @Test func aCookieReadsButChangesOnlyForAPageOfOurs() throws {
        let bench = try bench()
        #expect(try status(bench.send(request("GET", "/echo", ["Cookie: theatre=good"]))) == "200")
        #expect(try status(bench.send(request("GET", "/echo", ["Cookie: theatre=good; theatre=other"]))) == "401")
        #expect(try status(bench.send(request("GET", "/echo", ["Cookie: xtheatre=good"]))) == "401")
        for (fields, expected) in [
            (["Sec-Fetch-Site: same-origin"], "200"), (["Origin: http://test"], "200"),
            ([], "403"), (["Sec-Fetch-Site: cross-site"], "403"), (["Sec-Fetch-Site: same-site"], "403"),
            (["Sec-Fetch-Site: none"], "403"), (["Origin: http://evil.example"], "403"), (["Origin: null"], "403"),
            (["Origin: https://test"], "403"), (["Referer: http://test/"], "403"),
        ] {
            let answer = try bench.send(post("/echo", fields))
            #expect(status(answer) == expected, "\(fields): \(answer)")
            if expected == "403" { #expect(answer.contains("auth.other_site")) }
        }
        #expect(try status(bench.send(post("/open", ["Origin: http://evil.example"]))) == "200", "as anyone may")
    }

    @Test func aNamedOriginActsWithACookieOnlyWhereThatIsAllowed() throws {
        for isAllowed in [true, false] {
            let bench = try bench {
                $0.crossOrigin.origins = [Self.console]
                $0.crossOrigin.allowsCredentials = isAllowed
            }
            let answer = try bench.send(post("/echo", ["Origin: \(Self.console)", "Sec-Fetch-Site: cross-site"]))
            #expect(status(answer) == (isAllowed ? "200" : "403"))
            #expect(answer.contains("access-control-allow-credentials: true\r\n") == isAllowed)
        }
    }

    @Test func aBearerTokenNeedsNoPageAndCookiesAreOffUnlessWanted() throws {
        let bench = try bench { $0.allowsCookies = false }
        #expect(try status(bench.send(request("POST", "/echo", ["Authorization: Bearer good"]))) == "200")
        #expect(try status(bench.send(post("/echo", ["Sec-Fetch-Site: same-origin"]))) == "401")
        #expect(try status(bench.send(request("POST", "/api/v1/auth/cookie"))) == "404")
    }

    @Test func aTokenIsPutIntoTheCookieAndTakenAway() throws {
        let bench = try bench()
        let own = "Sec-Fetch-Site: same-origin"
        let path = "/api/v1/auth/cookie"
        let set = try bench.send(request("POST", path, ["Authorization: Bearer good", own]))
        #expect(status(set) == "204" && set.contains("set-cookie: theatre=good; Path=/; Max-Age="), "\(set)")
        #expect(set.contains("; HttpOnly; SameSite=Strict\r\n"))
        #expect(try status(bench.send(request("POST", path, ["Authorization: Bearer good"]))) == "403")
        #expect(try status(bench.send(request("POST", path, [own]))) == "401")
        let taken = try bench.send(request("DELETE", path, [own]))
        #expect(status(taken) == "204" && taken.contains("set-cookie: theatre=; Path=/; Max-Age=0; HttpOnly"))
        let secured = try self.bench { $0.publicURL = "https://theatre.example.org" }
        let bound = try secured.send(request("POST", path, ["Authorization: Bearer good", own]))
        #expect(bound.contains("set-cookie: __Host-theatre=good; ") && bound.contains("; Secure\r\n"))
        let foreign = try secured.send(
            request("POST", "/echo", ["Cookie: __Host-theatre=good", "Origin: http://evil"])
                .replacing("Host: test", with: "Host: evil"))
        #expect(status(foreign) == "403", "its own origin is the public one")
    }
}
