// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Baseline
import FoundationEssentials
import Glibc

/// A folder for what is stored, gone at the end; never one that lives in memory, since no write would wait for a disk.
struct StateFolder {
    let path: String

    init(_ name: String) throws {
        let temporary = FileManager.default.temporaryDirectory.path
        let candidates: [String] = [temporary, "/var/tmp"]
        guard let parent = candidates.first(where: { baseline_is_on_disk($0) == 1 }) else {
            throw BenchmarkFailure("\(temporary) and /var/tmp are in memory; set TMPDIR to a folder on a disk")
        }
        // Servers and programs that are started from here look there too.
        setenv("TMPDIR", parent, 1)
        path = "\(parent)/theatre-bench-\(name)-\(getpid())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
