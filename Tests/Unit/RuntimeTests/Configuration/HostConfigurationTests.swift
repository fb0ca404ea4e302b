// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Registry
import Testing
import TheatreManifest

@testable import Runtime

/// `00-host.yaml`.
@Suite struct HostConfigurationTests {
    private func read(_ text: String) throws -> HostConfiguration {
        try HostConfiguration(YAMLDocument(file: "00-host.yaml", text: text))
    }

    @Test func everythingHasADefault() throws {
        let host = try read("")
        #expect(host.host == "127.0.0.1")
        #expect(host.port == 8080)
        #expect(!host.isDevelopment)
        #expect(host.storage == "sqlite")
        #expect(host.tokens.key == "session")
        #expect(host.rates["login"] == .init(perMinute: 30, burst: 10))
        #expect(Set(host.rates.keys) == Deployment.standardRates)
        #expect(host.tls == nil)
        #expect(host.egress.authorities.isEmpty)
    }

    @Test func whatIsStatedIsTaken() throws {
        let host = try read(
            """
            port: 0
            development: true
            tls: {certificate: a.pem, key: b.pem}
            egress: {ca_files: [own.pem, other.pem]}
            rates: {login: {per_minute: 5, burst: 2}, own: {per_minute: 1}, open: {per_minute: 0}}
            limits: {connections: 7, header_seconds: 3}
            tenants: {acme: {hosts: [acme.example.org]}, gone: {closed: true}}
            control_seconds: 1
            """)
        #expect(host.tenants["acme"] == .init(hosts: ["acme.example.org"], isClosed: false))
        #expect(host.tenants["gone"] == .init(hosts: [], isClosed: true))
        #expect(host.port == 0)
        #expect(host.isDevelopment)
        #expect(host.tls == .init(certificate: "a.pem", key: "b.pem"))
        #expect(host.egress.authorities == ["own.pem", "other.pem"])
        #expect(host.rates["login"] == .init(perMinute: 5, burst: 2))
        #expect(host.rates["own"] == .init(perMinute: 1, burst: 200))
        #expect(host.rates["default"] != nil && host.rates["open"] == .unlimited)
        #expect(host.limits.connections == 7)
        #expect(host.limits.bodySeconds == 30)
        #expect(host.limits.answerSeconds == 30)
        #expect(host.controlSeconds == 1)
    }

    @Test(arguments: [
        ("prot: 1", "00-host.yaml:1: declaration.invalid: /prot is unknown; did you mean \"port\"?"),
        ("host: x\nport: 70000", "00-host.yaml:2: declaration.invalid: /port is 70000; 0 to 65535 is expected."),
        ("log:\n  level: loud", "00-host.yaml:2: declaration.invalid: /log/level"),
        ("rates:\n  own:\n    burst: 0", "00-host.yaml:3: declaration.invalid: /rates/own/burst is 0"),
        (
            "rates: {open: {per_minute: 0, burst: 2}}",
            "00-host.yaml:1: declaration.invalid: /rates/open/burst is unknown"
        ),
        ("tenants: {Acme: {}}", "00-host.yaml:1: declaration.invalid: /tenants/Acme is no name"),
        ("tenants: {a: {hosts: [\"A.org:80\"]}}", "00-host.yaml:1: declaration.invalid: /tenants/a/hosts/0 is \"A.org"),
        (
            "tenants: {a: {hosts: [x]}, b: {hosts: [x]}}",
            "00-host.yaml:1: declaration.invalid: /tenants/b/hosts/0 is of"
        ),
        ("tls: {certificate: a.pem}", "00-host.yaml:1: declaration.invalid: /tls/key"),
        ("egress: {ca_files: own.pem}", "00-host.yaml:1: declaration.invalid: /egress/ca_files"),
        ("egress:\n  ca_file: []", "00-host.yaml:2: declaration.invalid: /egress/ca_file is unknown"),
        ("development: sure", "00-host.yaml:1: declaration.invalid: /development"),
    ])
    func whatIsWrongIsSaidWithItsPlace(_ text: String, _ message: String) {
        do {
            _ = try read(text)
            Issue.record("was read")
        } catch {
            #expect("\(error)".hasPrefix(message), "\(error)")
        }
    }
}
