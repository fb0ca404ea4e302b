// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc

extension ContentFiles {
    /// Bytes without which a disk counts as full, and which a look writes.
    static let leastRoom = BlobVault.piece * 4

    /// How the disk stands.
    struct Standing: Sendable, Hashable {
        /// Why nothing can be written; nil where it can.
        var fault: FileFault?
        /// Bytes that can still be stored, where the system counts them.
        var free: Int64?
    }

    /// Looks whether the disk takes writes. Where the last look or a write since failed, it writes.
    ///
    /// A disk that says it is full is not written to: what is left of it may be somebody else's last.
    func look(_ name: String) -> Standing {
        var standing = Standing()
        do {
            let room = try layer.room(in: incoming)
            standing.free = room.free
            if room.isReadOnly {
                standing.fault = FileFault("statvfs", code: EROFS)
            } else if let free = room.free, free < Int64(Self.leastRoom) {
                standing.fault = FileFault("statvfs", code: ENOSPC)
            }
        } catch let fault as FileFault {
            standing.fault = fault
        } catch {
            standing.fault = FileFault("statvfs", code: EIO)
        }
        if let fault = standing.fault {
            health.failed(fault)
        } else if health.failure != nil {
            tryToWrite(name)
            standing.fault = health.failure
        }
        return standing
    }

    /// Writes a file as a blob's is written, and removes it: what fails is for ``health``.
    private func tryToWrite(_ name: String) {
        let failures = health.failures
        let path = "\(incoming)/\(name)"
        do {
            defer { forget(path) }
            let file = try layer.create(path)
            let piece = [UInt8](repeating: 0, count: BlobVault.piece)
            for _ in 0..<Self.leastRoom / piece.count { try piece.withUnsafeBytes { try file.write($0) } }
            try file.sync()
            try layer.syncFolder(incoming)
            health.wrote(after: failures)
        } catch {
            // `health` has heard of it.
        }
    }

    private func forget(_ path: String) {
        do { try layer.remove(path) } catch {
            // `health` has heard of that as well; the sweep takes the file once it is old.
        }
    }
}
