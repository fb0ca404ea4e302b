// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Synchronization

/// A real pgbouncer before a server, with `pool_mode = transaction`: each transaction may get another connection of the
/// server, and several clients share one. It ends with the process.
///
/// Clients come by TCP on loopback as ``PostgreSQLServer/user``, to any database of the server.
public final class TransactionProxy: Sendable {
    /// Where it listens, always 127.0.0.1.
    public let port: Int
    private let folder: String

    private init(port: Int, folder: String) {
        self.port = port
        self.folder = folder
    }

    private static let sharing = Mutex<TransactionProxy?>(nil)

    /// The one proxy of this process, before ``PostgreSQLServer/shared()``.
    public static func shared() async throws -> TransactionProxy {
        let server = try await PostgreSQLServer.shared()
        return try await WorkThread.shared.run {
            if let proxy = sharing.withLock({ $0 }) { return proxy }
            let proxy = try make(before: server, connections: 6)
            sharing.withLock { $0 = proxy }
            return proxy
        }
    }

    /// A new proxy that has at most this many connections to each of the server's databases.
    public static func start(before server: PostgreSQLServer, connections: Int) async throws -> TransactionProxy {
        try await WorkThread.shared.run { try make(before: server, connections: connections) }
    }

    /// On the work thread.
    private static func make(before server: PostgreSQLServer, connections: Int) throws -> TransactionProxy {
        let folder = try ServerFolder.make()
        let proxy = TransactionProxy(port: try PostgreSQLServer.freePort(), folder: folder)
        try proxy.write(
            "pgbouncer.ini",
            """
            [databases]
            * = host=127.0.0.1 port=\(server.port)
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(proxy.port)
            unix_socket_dir =
            pidfile =
            logfile =
            auth_type = scram-sha-256
            auth_file = \(folder)/users
            pool_mode = transaction
            default_pool_size = \(connections)
            max_client_conn = 1000
            server_idle_timeout = 1
            server_check_query =
            ignore_startup_parameters = extra_float_digits

            """)
        // In clear: it logs in to the server with the same password.
        try proxy.write("users", "\"\(PostgreSQLServer.user)\" \"\(PostgreSQLServer.password)\"\n")
        try proxy.launch()
        return proxy
    }

    private func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
        chmod("\(folder)/\(name)", 0o600)
        try Programs.handOver("\(folder)/\(name)")
    }

    private func launch() throws {
        let places = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"]
        guard let program = places.first(where: { access($0, X_OK) == 0 }) else {
            throw ServerFailure("There is no pgbouncer; install pgbouncer.")
        }
        let output = open("\(folder)/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard output >= 0 else { throw ServerFailure("\(folder)/log cannot be written.") }
        defer { close(output) }
        let pid = try Programs.start(
            Programs.dropped([program, "-q", "\(folder)/pgbouncer.ini"], endsWithParent: true), output: output)
        let ready = "\(try Programs.folder())/pg_isready"
        for _ in 0..<600 {
            var word: Int32 = 0
            guard waitpid(pid, &word, WNOHANG) == 0 else { break }
            if try Programs.run([ready, "-q", "-h", "127.0.0.1", "-p", String(port)]).status == 0 { return }
            usleep(20_000)
        }
        throw ServerFailure("The proxy does not start:\n\(log)")
    }

    /// What it wrote so far.
    public var log: String {
        (try? String(contentsOf: URL(filePath: "\(folder)/log"), encoding: .utf8)) ?? ""
    }
}
