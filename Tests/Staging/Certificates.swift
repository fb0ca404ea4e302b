// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Registry

/// An authority that only this test trusts, and what it signed, made by `openssl` in a folder.
package struct Certificates: Sendable {
    private let folder: String

    /// Name in the server's certificate.
    package static let serverName = "parrot.test"

    /// Makes them; takes some tens of milliseconds.
    package init(in folder: String) throws {
        self.folder = folder
        for authority in ["ca", "other"] {
            try Self.openssl(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=\(authority) "
                    + "-keyout \(folder)/\(authority).key -out \(folder)/\(authority).pem")
        }
        try sign("server", by: "ca", "subjectAltName=DNS:\(Self.serverName)")
        try sign("host", by: "ca", "subjectAltName=DNS:host.test")
        try sign("stranger", by: "other", "subjectAltName=DNS:host.test")
    }

    private func sign(_ name: String, by authority: String, _ extensions: String) throws {
        try Data(extensions.utf8).write(to: URL(filePath: "\(folder)/\(name).ext"))
        try Self.openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=\(name) -keyout \(folder)/\(name).key "
                + "-out \(folder)/\(name).csr")
        try Self.openssl(
            "x509 -req -in \(folder)/\(name).csr -CA \(folder)/\(authority).pem -CAkey \(folder)/\(authority).key "
                + "-CAcreateserial -days 2 -extfile \(folder)/\(name).ext -out \(folder)/\(name).pem")
    }

    /// What a host named so presents, for `remote.tls`.
    package func tls(_ name: String = "host", serverName: String = Self.serverName) -> InstanceDeclaration.TLS {
        InstanceDeclaration.TLS(
            authority: file("ca.pem"), certificate: file("\(name).pem"), key: file("\(name).key"),
            serverName: serverName)
    }

    /// A file of the folder, such as `server.key`.
    package func file(_ name: String) -> String { "\(folder)/\(name)" }

    private static func openssl(_ arguments: String) throws {
        let words = ["openssl"] + arguments.split(separator: " ").map(String.init)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        let strings = words.map { strdup($0) }
        defer { strings.forEach { free($0) } }
        var pid: pid_t = 0, status: Int32 = 0
        let failure = posix_spawnp(&pid, "openssl", &actions, nil, strings + [nil], environ)
        guard failure == 0 else { throw Unstaged("openssl cannot be started") }
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else { throw Unstaged("openssl \(arguments) failed") }
    }
}
