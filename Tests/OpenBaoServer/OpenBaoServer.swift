// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Synchronization
public import TheatreManifest
import Toolchains

/// A real OpenBao server in memory, on loopback, unsealed, with a KV engine at `secret/`. It ends with this process.
public final class OpenBaoServer: Sendable {
    /// May do everything.
    public static let rootToken = "a-root-token-of-tests"

    /// Where it listens, always 127.0.0.1, without TLS.
    public let port: Int
    private let pid: pid_t
    /// The other end of what the shell that runs it reads: closed, it ends the server.
    private let lifeline = Mutex<Int32?>(nil)

    /// Its URL.
    public var address: String { "http://127.0.0.1:\(port)" }

    /// Starts one and waits until it serves. It holds up its thread.
    ///
    /// - Parameters:
    ///   - folder: of its home and its log.
    ///   - listeners: more of them, in the server's own language.
    public init(folder: String, listeners: String = "") throws {
        let program = "\(Toolchain.root)/.build/openbao/bao"
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw ShellError(
                description: "There is no \(program); run `Tests/Checks/install-openbao` in \(Toolchain.root), or "
                    + "`make test-packages`.")
        }
        try Data(listeners.utf8).write(to: URL(filePath: "\(folder)/openbao.hcl"))
        // The port and the next one may be taken between the choice and the start.
        for _ in 0..<10 {
            let port = Int.random(in: 20_000..<32_000)
            let (pid, lifeline) = try Self.launch(program, folder, port)
            if Self.answers(port, pid) {
                (self.port, self.pid) = (port, pid)
                self.lifeline.withLock { $0 = lifeline }
                return
            }
            close(lifeline)
            Self.reap(pid)
        }
        let log = (try? String(contentsOf: URL(filePath: "\(folder)/openbao.log"), encoding: .utf8)) ?? ""
        throw ShellError(description: "OpenBao does not start:\n\(log.suffix(4000))")
    }

    deinit { stop() }

    /// Ends it.
    public func stop() {
        guard let lifeline = lifeline.withLock({ $0.take() }) else { return }
        close(lifeline)
        Self.reap(pid)
    }

    /// Asks it as root, and answers the body.
    ///
    /// - Throws: `ShellError` where the status is not 200 or 204.
    @discardableResult
    public func ask(_ method: String, _ path: String, _ body: String = "", namespace: String = "") throws -> JSONValue {
        var headers = ["x-vault-token": Self.rootToken]
        if !namespace.isEmpty { headers["x-vault-namespace"] = namespace }
        let answer = try LoopbackHTTP.ask(port, method, "/v1/\(path)", headers, Array(body.utf8))
        guard [200, 204].contains(answer.status) else {
            throw ShellError(
                description: "\(method) \(path): \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
        }
        return answer.body.isEmpty ? .null : try JSONValue(json: Data(answer.body))
    }

    private static func launch(_ program: String, _ folder: String, _ port: Int) throws -> (pid_t, Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw ShellError(description: "there is no pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        posix_spawn_file_actions_addopen(&actions, 1, "\(folder)/openbao.log", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        for descriptor in Int32(3)..<256 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        let script = """
            HOME='\(folder)' '\(program)' server -dev -dev-no-store-token -dev-root-token-id=\(rootToken) \
            -dev-listen-address=127.0.0.1:\(port) -config='\(folder)/openbao.hcl' </dev/null & child=$!
            cat >/dev/null; kill -KILL $child; wait $child 2>/dev/null; exit 0
            """
        var arguments: [UnsafeMutablePointer<CChar>?] = ["sh", "-c", script].map { (text: String) in strdup(text) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        let failure = posix_spawnp(&pid, "sh", &actions, nil, &arguments, environ)
        close(ends[0])
        guard failure == 0 else {
            close(ends[1])
            throw ShellError(description: "no shell can be started")
        }
        return (pid, ends[1])
    }

    private static func answers(_ port: Int, _ pid: pid_t) -> Bool {
        for _ in 0..<1500 {
            if let answer = try? LoopbackHTTP.ask(
                port, "GET", "/v1/secret/config", ["x-vault-token": rootToken], []), answer.status == 200
            {
                return true
            }
            usleep(20_000)
        }
        return false
    }

    private static func reap(_ pid: pid_t) {
        var word: Int32 = 0
        while waitpid(pid, &word, 0) < 0, errno == EINTR {}
    }
}
