// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Synchronization

/// A real PostgreSQL server on loopback, in a folder of its own, that ends with the process.
///
/// Clients come by TCP with a password (SCRAM-SHA-256); the folder's socket trusts, for ``sql(_:in:as:)``.
public final class PostgreSQLServer: Sendable {
    /// How a server is.
    public struct Options: Sendable {
        /// Whether a commit is on disk before it is acknowledged. Off is faster, and right where nothing crashes.
        public var isDurable = false
        /// Whether it speaks TLS, with a certificate that nobody signed: ``PostgreSQLServer/authority``.
        public var hasTLS = false
        /// For whom the certificate is, as `subjectAltName` has it.
        public var certifiedNames = "DNS:localhost,IP:127.0.0.1"
        /// Whether it takes everybody's word on loopback, without a password.
        public var isTrusting = false
        /// More lines of postgresql.conf.
        public var settings: [String: String] = [:]

        /// Fast, without TLS.
        public init(
            isDurable: Bool = false, hasTLS: Bool = false, certifiedNames: String = "DNS:localhost,IP:127.0.0.1",
            isTrusting: Bool = false, settings: [String: String] = [:]
        ) {
            self.isDurable = isDurable
            self.hasTLS = hasTLS
            self.certifiedNames = certifiedNames
            self.isTrusting = isTrusting
            self.settings = settings
        }
    }

    /// Where it listens, always 127.0.0.1.
    public let port: Int
    /// Owns the databases of tests; may make roles, is no superuser.
    public static let user = "theatre"
    /// Its password.
    public static let password = "a quiet stage"

    let folder: String
    let data: String
    private let programs: String
    private let process = Mutex<pid_t?>(nil)
    let databases = Mutex(TestDatabases())

    private init(folder: String, data: String, port: Int, programs: String) {
        self.folder = folder
        self.data = data
        self.port = port
        self.programs = programs
    }

    /// The file of the certificate that a client checks against, with `hasTLS`.
    public var authority: String { "\(folder)/server.crt" }

    /// The path of a program that came with the server, such as `pgbench`.
    public func program(_ name: String) -> String { "\(programs)/\(name)" }

    // MARK: Starting

    private static let sharing = Mutex<PostgreSQLServer?>(nil)

    /// The one server of this process for tests that neither stop it nor need durability.
    public static func shared() async throws -> PostgreSQLServer {
        try await WorkThread.shared.run {
            if let server = sharing.withLock({ $0 }) { return server }
            let server = try make(Options())
            sharing.withLock { $0 = server }
            return server
        }
    }

    /// A new server, ready, with role and template in place.
    public static func start(_ options: Options = Options()) async throws -> PostgreSQLServer {
        try await WorkThread.shared.run { try make(options) }
    }

    /// On the work thread.
    private static func make(_ options: Options) throws -> PostgreSQLServer {
        let folder = try ServerFolder.make(isDurable: options.isDurable)
        let server = PostgreSQLServer(
            folder: folder, data: "\(folder)/data", port: try freePort(), programs: try Programs.folder())
        try server.initialize(options)
        try server.launch()
        try server.furnish()
        return server
    }

    private func initialize(_ options: Options) throws {
        let socket = "\(folder)/socket"
        for path in [data, socket] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            chmod(path, 0o700)
            try Programs.handOver(path)
        }
        try Programs.succeed(
            Programs.dropped([
                "\(programs)/initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
                "--auth-local=trust", "--auth-host=scram-sha-256",
            ]))
        if options.hasTLS { try makeCertificate(options.certifiedNames) }
        var settings = [
            "listen_addresses": "127.0.0.1", "port": String(port), "unix_socket_directories": socket,
            "fsync": options.isDurable ? "on" : "off", "synchronous_commit": options.isDurable ? "on" : "off",
            "full_page_writes": options.isDurable ? "on" : "off", "max_connections": "200", "shared_buffers": "32MB",
            "min_wal_size": "64MB", "max_wal_size": "256MB",
            "wal_level": "replica", "max_wal_senders": "4", "log_line_prefix": "%m [%p] ", "autovacuum_naptime": "10s",
        ]
        if options.hasTLS {
            settings.merge(["ssl": "on", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key"]) { $1 }
        }
        settings.merge(options.settings) { $1 }
        try append(settings, to: "\(data)/postgresql.conf")
        let access = """
            local all all trust
            host replication all 127.0.0.1/32 trust
            host all all 127.0.0.1/32 \(options.isTrusting ? "trust" : "scram-sha-256")
            """
        try Data("\(access)\n".utf8).write(to: URL(filePath: "\(data)/pg_hba.conf"))
    }

    private func makeCertificate(_ names: String) throws {
        try Programs.succeed([
            "openssl", "req", "-new", "-x509", "-days", "30", "-nodes", "-subj", "/CN=a server of tests",
            "-addext", "subjectAltName=\(names)", "-out", "\(data)/server.crt", "-keyout", "\(data)/server.key",
        ])
        for name in ["server.crt", "server.key"] {
            chmod("\(data)/\(name)", 0o600)
            try Programs.handOver("\(data)/\(name)")
        }
        try FileManager.default.copyItem(atPath: "\(data)/server.crt", toPath: authority)
        chmod(authority, 0o644)
    }

    private func furnish() throws {
        try psql(
            """
            CREATE ROLE \(Self.user) LOGIN CREATEROLE PASSWORD '\(Self.password)';
            CREATE ROLE plain LOGIN PASSWORD '\(Self.password)';
            CREATE DATABASE theatre_template OWNER \(Self.user) IS_TEMPLATE true;
            """)
    }

    /// Runs statements as a superuser and gives what they print, unaligned.
    @discardableResult
    public func sql(_ text: String, in database: String = "postgres", as user: String = "postgres") async throws
        -> String
    {
        try await WorkThread.shared.run { try self.psql(text, database, user) }
    }

    @discardableResult
    func psql(_ text: String, _ database: String = "postgres", _ user: String = "postgres") throws -> String {
        let words = [
            "\(programs)/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "\(folder)/socket", "-p",
            String(port), "-U", user, "-d", database,
        ]
        // Each line is a statement of its own: CREATE DATABASE stands in no transaction.
        let commands = text.split(separator: ";\n").flatMap { ["-c", String($0)] }
        return try Programs.succeed(Programs.dropped(words + commands))
    }

    // MARK: Stopping

    /// Ends it in order: connections are closed and everything is on disk.
    public func stop() async throws { try await end(SIGINT) }

    /// Ends it as a crash does: nothing is written any more.
    public func kill() async throws {
        try await WorkThread.shared.run {
            guard let pid = self.process.withLock({ $0 }) else { return }
            // The others of the group would live on and keep the shared memory.
            let children = try? Programs.run(["pgrep", "-P", String(pid)]).output
            for child in [pid] + (children ?? "").split(separator: "\n").compactMap({ pid_t($0) }) {
                Glibc.kill(child, SIGKILL)
            }
            try self.reap(pid)
        }
    }

    /// Starts it again where it was.
    public func restart() async throws {
        try await WorkThread.shared.run { try self.launch() }
    }

    private func end(_ signal: Int32) async throws {
        try await WorkThread.shared.run {
            guard let pid = self.process.withLock({ $0 }) else { return }
            Glibc.kill(pid, signal)
            try self.reap(pid)
        }
    }

    private func reap(_ pid: pid_t) throws {
        var word: Int32 = 0
        while waitpid(pid, &word, 0) < 0, errno == EINTR {}
        ServerFolder.note(pid, isRunning: false)
        process.withLock { $0 = nil }
    }

    // MARK: Standby

    /// A standby of this server; with `isSynchronous` a commit is acknowledged once it is on the standby's disk too.
    public func makeStandby(isSynchronous: Bool = true) async throws -> PostgreSQLServer {
        let standby = try await WorkThread.shared.run {
            let folder = try ServerFolder.make()
            let standby = PostgreSQLServer(
                folder: folder, data: "\(folder)/standby", port: try Self.freePort(), programs: self.programs)
            let socket = "\(folder)/socket"
            try FileManager.default.createDirectory(atPath: socket, withIntermediateDirectories: true)
            for path in [folder, socket] { try Programs.handOver(path) }
            try Programs.succeed(
                Programs.dropped([
                    "\(self.programs)/pg_basebackup", "-h", "127.0.0.1", "-p", String(self.port), "-U", "postgres",
                    "--no-password", "-D", standby.data, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d",
                    "application_name=standby",
                ]))
            try standby.append(
                ["port": String(standby.port), "unix_socket_directories": socket], to: "\(standby.data)/postgresql.conf"
            )
            try standby.launch()
            return standby
        }
        if isSynchronous {
            try await sql("ALTER SYSTEM SET synchronous_standby_names = 'standby';\nSELECT pg_reload_conf()")
            try await until("the standby is synchronous") {
                try self.psql("SELECT sync_state FROM pg_stat_replication") == "sync"
            }
        }
        return standby
    }

    /// Makes a standby the server that takes writes.
    public func promote() async throws {
        try await sql("SELECT pg_promote(true, 60)")
        try await sql("ALTER SYSTEM SET synchronous_standby_names = '';\nSELECT pg_reload_conf()")
    }

    private func until(_ what: String, _ isSo: @escaping @Sendable () throws -> Bool) async throws {
        try await WorkThread.shared.run {
            for _ in 0..<600 {
                if try isSo() { return }
                usleep(50_000)
            }
            throw ServerFailure("It does not come to pass that \(what).")
        }
    }
}

// MARK: - The process

extension PostgreSQLServer {
    fileprivate func launch() throws {
        try? FileManager.default.removeItem(atPath: "\(data)/postmaster.pid")
        let output = open("\(folder)/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard output >= 0 else { throw ServerFailure("\(folder)/log cannot be written.") }
        defer { close(output) }
        let pid = try Programs.start(
            Programs.dropped(["\(programs)/postgres", "-D", data], endsWithParent: true), output: output)
        process.withLock { $0 = pid }
        ServerFolder.note(pid, isRunning: true)
        for _ in 0..<600 {
            var word: Int32 = 0
            guard waitpid(pid, &word, WNOHANG) == 0 else {
                ServerFolder.note(pid, isRunning: false)
                break
            }
            if try Programs.run(["\(programs)/pg_isready", "-q", "-h", "127.0.0.1", "-p", String(port)]).status == 0 {
                return
            }
            usleep(20_000)
        }
        throw ServerFailure("The server does not start:\n\(log)")
    }

    /// What it wrote so far.
    public var log: String {
        (try? String(contentsOf: URL(filePath: "\(folder)/log"), encoding: .utf8)) ?? ""
    }

    fileprivate func append(_ settings: [String: String], to path: String) throws {
        try write(settings.map { "\($0) = '\($1)'\n" }.sorted().joined(), after: path)
    }

    fileprivate func write(_ text: String, after path: String) throws {
        let before = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        try Data((before + "\n" + text).utf8).write(to: URL(filePath: path))
    }

    /// A port that is free now; nobody else is likely to take it before the server does.
    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard bound else { throw ServerFailure("no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
