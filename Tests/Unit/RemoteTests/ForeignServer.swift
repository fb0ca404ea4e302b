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
    private let process = Mutex<PluginProcess?>(nil)

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// Whether Python has what it takes.
    static let isPossible = (try? PluginProcess(python + ["-c", probe])) != nil

    /// Debian's own, which its packages are for.
    private static let python = ["/usr/bin/python3"]
    private static let probe = "import grpc, google.protobuf, os; os.write(3, b'ok')"

    init(in folder: String) throws {
        certificates = try Certificates(in: folder)
        listen = "unix:\(folder)/parrot"
        try start()
    }

    func start() throws {
        let started = try PluginProcess(
            Self.python + [
                "\(Self.root)/Tests/Foreign/parrot.py", "\(Self.root)/PluginAPI/Contracts/contracts.binpb",
                listen, certificates.file("ca.pem"), certificates.file("server.pem"), certificates.file("server.key"),
            ])
        process.withLock { $0 = started }
    }

    func end() { process.withLock { $0 }?.end() }

    func plan(tls: InstanceDeclaration.TLS? = nil, isCritical: Bool = true) throws -> InstancePlan {
        var plan = try Stage.plan("Parrot", "parrot", at: listen, tls: tls ?? certificates.tls())
        plan.isCritical = isCritical
        return plan
    }
}
