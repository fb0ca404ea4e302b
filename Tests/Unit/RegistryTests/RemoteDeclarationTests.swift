// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Registry
import Testing
import TheatreManifest

struct RemoteDeclarationTests {
    private static let tls: JSONValue = ["ca": "ca.pem", "certificate": "host.pem", "key": "host.key"]
    private let map = SourceMap(file: "20-chat.yaml", lines: ["": 1])

    private func read(_ remote: JSONValue) throws -> InstanceDeclaration {
        try InstanceDeclaration(reading: ["plugin": "Chat", "mode": "remote", "remote": remote], map: map)
    }

    @Test func anEndpointWithCredentialsIsRead() throws {
        let remote = try #require(
            try read(["endpoint": "Chat.internal:7443", "tls": Self.tls, "connect_seconds": 2]).remote)
        #expect(remote.endpoint == .network(host: "chat.internal", port: 7443))
        #expect(remote.tls?.serverName == "chat.internal")
        #expect(remote.connectSeconds == 2 && remote.probeSeconds == 5)
    }

    @Test(
        arguments: [
            ("unix:/run/chat.sock", true), ("127.0.0.1:7443", true), ("localhost:1", true), ("[::1]:7443", true),
            ("10.0.0.1:7443", false), ("127.example.com:7443", false), ("chat.internal:7443", false),
        ])
    func plainTextStaysOnTheMachine(_ endpoint: String, _ isLocal: Bool) throws {
        let remote: JSONValue = ["endpoint": .string(endpoint), "plaintext": true]
        if isLocal {
            #expect(try read(remote).remote?.endpoint.description == endpoint)
        } else {
            let error = #expect(throws: ManifestError.self) { try read(remote) }
            #expect(error?.pointer == "/remote/plaintext")
        }
    }

    @Test(
        arguments: [
            (["endpoint": "chat.internal"], "/remote/endpoint"),
            (["endpoint": "https://chat.internal:1"], "/remote/endpoint"),
            (["endpoint": "unix:run/chat.sock"], "/remote/endpoint"),
            (["endpoint": "chat.internal:7443"], "/remote/tls"),
            (["endpoint": "unix:/run/chat.sock"], "/remote/tls"),
            (["endpoint": "unix:/run/chat.sock", "tls": Self.tls], "/remote/tls/server_name"),
            (["endpoint": "10.0.0.1:7443", "tls": Self.tls], "/remote/tls/server_name"),
            (["endpoint": "unix:/run/chat.sock", "tls": Self.tls, "plaintext": true], "/remote/tls/server_name"),
            (["endpoint": "chat.internal:7443", "tls": Self.tls, "plaintext": true], "/remote/plaintext"),
            (["endpoint": "chat.internal:7443", "tls": ["ca": "a"]], "/remote/tls/certificate"),
            (["endpoint": "unix:/a", "plaintext": true, "contracts": "c.binpb"], "/remote/manifest"),
            (["endpoint": "unix:/a", "plaintext": true, "probe": 1], "/remote/probe"),
        ] as [(JSONValue, String)])
    func whatCannotBeMeantIsRefused(_ remote: JSONValue, _ pointer: String) {
        let error = #expect(throws: ManifestError.self) { try read(remote) }
        #expect(error?.pointer == pointer, "\(String(describing: error))")
    }

    @Test func modeAndEndpointComeTogether() {
        let alone = #expect(throws: ManifestError.self) {
            try InstanceDeclaration(reading: ["plugin": "Chat", "mode": "remote"], map: map)
        }
        #expect(alone?.pointer == "/remote")
        let beside = #expect(throws: ManifestError.self) {
            try InstanceDeclaration(
                reading: ["plugin": "Chat", "remote": ["endpoint": "unix:/a", "plaintext": true]], map: map)
        }
        #expect(beside?.pointer == "/mode")
    }
}
