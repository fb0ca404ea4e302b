// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Sees that a job runs once at a time on this machine, in whichever process.
///
/// The kernel gives a name in the abstract space of sockets to one holder, and takes it back when its process ends,
/// however it ends.
struct RunWitness: Sendable {
    private let descriptor: Int32

    /// Nil where the job runs already, or nobody can tell.
    init?(of job: String) {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array("theatre-journal-\(job)".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            for (index, byte) in name.prefix(path.count - 1).enumerated() { path[index + 1] = byte }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.count)
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) == 0 }
        }
        guard isBound else {
            close(descriptor)
            return nil
        }
    }

    /// The run is over.
    func end() { close(descriptor) }
}
