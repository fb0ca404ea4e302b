// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Runtime
import Testing

@testable import Trust

/// Who may write a library.
@Suite struct FileSafetyTests {
    @Test func onlyWhatOthersCannotWriteIsSafe() throws {
        let folder = "\(FileManager.default.temporaryDirectory.path)/trust-\(UInt32.random(in: 0 ... .max))"
        let file = "\(folder)/libX.so"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data([1]).write(to: URL(filePath: file))
        func found(file fileMode: mode_t, folder folderMode: mode_t) -> String? {
            chmod(file, fileMode)
            chmod(folder, folderMode)
            return FileSafety.fault(of: file, plugin: "X")?.code
        }
        #expect(found(file: 0o755, folder: 0o755) == nil)
        #expect(found(file: 0o664, folder: 0o775) == nil)
        #expect(found(file: 0o666, folder: 0o755) == "trust.file_writable")
        #expect(found(file: 0o644, folder: 0o777) == "trust.file_writable")
        #expect(found(file: 0o644, folder: 0o1777) == nil, "nobody can replace another's file in it")
        guard geteuid() == 0 else { return }
        chown(file, 65534, 65534)
        #expect(found(file: 0o644, folder: 0o755) == "trust.file_owner")
    }
}
