// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Runtime
import Staging
import Testing

/// What an isolated plugin tries, and what becomes of it.
@Suite(.serialized) struct SandboxTests {
    /// Each thing is tried by the library itself; what is not allowed fails there, with the system's own error.
    @Test func whatIsNotGrantedIsRefused() throws {
        let stage = try Stage()
        defer { stage.stop() }
        try stage.start([try Stage.plan("Unruly", "unruly")])
        let status = try #require(stage.status("unruly"))
        for (what, refusal) in [
            ("socket", "Operation not permitted"), ("datagram", "Operation not permitted"),
            ("fork", "Operation not permitted"), ("exec", "Operation not permitted"),
            ("ptrace", "Operation not permitted"), ("kill", "Operation not permitted"),
            ("limit", "Operation not permitted"), ("code", "Operation not permitted"),
            ("large", "Cannot allocate memory"),
        ] {
            #expect(try stage.ask("unruly", what).text == refusal, "\(what)")
        }
        // Either the file is not there, or a rule forbids it; never does it open.
        for what in ["passwd", "proc", "writes"] {
            let text = try stage.ask("unruly", what).text
            #expect(
                ["No such file or directory", "Permission denied", "Read-only file system"].contains(text), "\(what)")
        }
        #expect(status.facts["sandbox"]?.contains("system call filter") == true, "\(status.facts)")
        #expect(status.facts["memory"]?.contains("RLIMIT_DATA") == true)
    }

    /// Nothing of the host is open in it: its streams, and the socket that wakes it.
    @Test func itHasItsOwnDescriptorsNoPrivilegesAndAsManyThreadsAsItMay() throws {
        let stage = try Stage()
        defer { stage.stop() }
        var few = try Stage.plan("Unruly", "few")
        few.sandbox.threads = 20
        try stage.start([try Stage.plan("Unruly", "unruly"), few])
        #expect(try stage.ask("unruly", "descriptors").text == "0 1 2 3")
        let privileges = try stage.ask("unruly", "privileges").text.split { " \t\n".contains($0) }
        #expect(privileges == ["CapEff:", "0000000000000000", "CapBnd:", "0000000000000000", "NoNewPrivs:", "1"])
        let more = try #require(Int(try stage.ask("few", "threads").text))
        let isSaid = stage.status("few")?.facts["not_enforced"]?.contains("thread limit") == true
        #expect(isSaid || (1..<20).contains(more), "\(more)")
    }

    /// Without namespaces, as where a system forbids them: it is said, or refused, and the rest is enforced still.
    @Test func withoutNamespacesItIsSaidOrRefused() throws {
        let stage = try Stage()
        defer { stage.stop() }
        var plan = try Stage.plan("Unruly", "unruly")
        plan.sandbox.wantsNamespaces = false
        try stage.start([plan])
        let missing = try #require(stage.status("unruly")?.facts["not_enforced"])
        for guardian in ["own user namespace", "own network", "own view of files", "thread limit"] {
            #expect(missing.contains(guardian), "\(missing)")
        }
        for what in ["socket", "fork", "exec", "ptrace"] {
            #expect(try stage.ask("unruly", what).text == "Operation not permitted", "\(what)")
        }
        #expect(try stage.ask("unruly", "passwd").text == "Permission denied")
        let other = try Stage()
        defer { other.stop() }
        plan.sandbox.isStrict = true
        plan.isCritical = true
        let error = #expect(throws: LoadError.self) { try other.start([plan]) }
        #expect(error?.code == "sandbox.incomplete")
        #expect(error?.found.contains("own network") == true, "\(error?.found ?? "")")
    }

    /// Where something cannot be enforced a strict instance does not start, and any other says what it was.
    @Test func whatCannotBeEnforcedIsSaidOrRefused() throws {
        let stage = try Stage()
        defer { stage.stop() }
        var plan = try Stage.plan("Good", "good")
        plan.sandbox.isStrict = true
        do throws(LoadError) {
            try stage.start([plan])
            #expect(stage.status("good")?.facts["not_enforced"] == nil)
        } catch {
            #expect(error.code == "sandbox.incomplete", "\(error)")
            plan.sandbox.isStrict = false
            try stage.start([plan])
            #expect(stage.status("good")?.facts["not_enforced"]?.isEmpty == false)
        }
    }

    @Test func aFolderIsReadOrWrittenAsGranted() throws {
        try Stage.withFolder { folder in
            let stage = try Stage()
            defer { stage.stop() }
            var reader = try Stage.plan("Unruly", "reader"), writer = try Stage.plan("Unruly", "writer")
            reader.sandbox.files = [.init(path: folder, isWritable: false)]
            writer.sandbox.files = [.init(path: folder, isWritable: true)]
            try stage.start([reader, writer])
            #expect(try stage.ask("writer", "creates:\(folder)/one;").text == "ok")
            #expect(FileManager.default.fileExists(atPath: "\(folder)/one"))
            #expect(try stage.ask("reader", "opens:\(folder)/one;").text == "ok")
            #expect(try stage.ask("reader", "creates:\(folder)/two;").text != "ok")
            #expect(try stage.ask("writer", "opens:\(folder)/../../etc/passwd;").text != "ok")
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/two"))
        }
    }

    /// A socket that greets whoever connects to it.
    private func greeter() throws -> (socket: Int32, port: Int) {
        let end = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(end, address, size) == 0 && listen(end, 8) == 0 && getsockname(end, address, &size) == 0
            }
        }
        try #require(end >= 0 && bound)
        let thread = Thread(end)
        thread.start()
        return (end, Int(UInt16(bigEndian: address.sin_port)))
    }

    /// Greets on a thread of its own until the socket is shut down.
    private final class Thread: Sendable {
        private let end: Int32
        init(_ end: Int32) { self.end = end }

        func start() {
            var thread = pthread_t()
            pthread_create(
                &thread, nil,
                { raw in
                    guard let raw else { return nil }
                    let end = Unmanaged<Thread>.fromOpaque(raw).takeRetainedValue().end
                    while true {
                        let made = accept(end, nil, nil)
                        guard made >= 0 else { return nil }
                        _ = write(made, "welcome", 7)
                        close(made)
                    }
                }, Unmanaged.passRetained(self).toOpaque())
            pthread_detach(thread)
        }
    }

    @Test func theHostConnectsItWhereThatWasGrantedAndNowhereElse() throws {
        let (end, port) = try greeter()
        defer {
            shutdown(end, Int32(SHUT_RDWR))
            close(end)
        }
        let stage = try Stage()
        defer { stage.stop() }
        var granted = try Stage.plan("Unruly", "granted")
        granted.sandbox.connect = [.init(host: "localhost", port: port), .init(host: "127.0.0.1", port: port)]
        try stage.start([granted, try Stage.plan("Unruly", "other")])
        #expect(try stage.ask("granted", "dial:localhost \(port);").text == "welcome")
        #expect(try stage.ask("granted", "dial:127.0.0.1 \(port);").text == "welcome")
        #expect(try stage.ask("granted", "dial:127.0.0.1 \(port == 1 ? 2 : port - 1);").text == "Permission denied")
        #expect(try stage.ask("granted", "dial:example.org \(port);").text == "Permission denied")
        #expect(try stage.ask("granted", "datagram").text == "Operation not permitted")
        #expect(try stage.ask("other", "dial:127.0.0.1 \(port);").text == "Operation not permitted")
    }
}
