// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Registry
import Runtime
import Staging
import Synchronization

/// `Tests/Foreign/parrot.py`, at the same address each time it is started, with mutual TLS.
final class ForeignServer: Sendable {
    let certificates: Certificates
    private let listen: String
    private let options: [String]
    private let process = Mutex<PluginProcess?>(nil)

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// Debian's own, which its packages are for.
    private static let python = ["/usr/bin/python3"]
    private static let probe = "import grpc, google.protobuf, os; os.write(3, b'ok')"
    private static let isPossible = (try? PluginProcess(python + ["-c", probe])) != nil

    /// A program of `Tests/Foreign`, and its arguments after the contracts. It fails where Python lacks what it takes.
    static func program(_ name: String, _ arguments: [String], options: [String] = []) throws -> PluginProcess {
        guard isPossible else {
            throw Unstaged(
                "Python has no gRPC; run `apt-get install python3-grpcio python3-protobuf`, or `make test-packages`.")
        }
        let contracts = "\(root)/PluginAPI/Contracts/contracts.binpb"
        return try PluginProcess(python + ["\(root)/Tests/Foreign/\(name)"] + options + [contracts] + arguments)
    }

    /// - Parameter options: of the program, such as `--no-watch`.
    init(in folder: String, _ options: [String] = []) throws {
        self.options = options
        certificates = try Certificates(in: folder)
        listen = "unix:\(folder)/parrot"
        try start()
    }

    func start() throws {
        let files = ["ca.pem", "server.pem", "server.key"].map { certificates.file($0) }
        let started = try Self.program("parrot.py", [listen] + files, options: options)
        process.withLock { $0 = started }
    }

    /// From now on it says of itself that it serves, or that it does not.
    func say(isServing: Bool) { process.withLock { $0 }?.signal(isServing ? SIGUSR2 : SIGUSR1) }

    func end() { process.withLock { $0 }?.end() }

    func plan(tls: InstanceDeclaration.TLS? = nil, isCritical: Bool = true) throws -> InstancePlan {
        var plan = try Stage.plan("Parrot", "parrot", at: listen, tls: tls ?? certificates.tls())
        plan.isCritical = isCritical
        return plan
    }
}
