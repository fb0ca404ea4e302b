// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Services
import Testing

@testable import theatre

/// A host's name is the same after a restart, and never that of two processes.
struct NodeNameTests {
    private func isName(_ text: String) -> Bool {
        text.utf8.count == 16 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    private func kept(_ folder: TemporaryFolder) throws -> String {
        try String(contentsOf: URL(filePath: "\(folder.path)/node"), encoding: .utf8)
    }

    @Test func theNameIsKeptInTheStateFolder() throws {
        let folder = try TemporaryFolder()
        let worker = NodeName.worker(state: folder.path)
        #expect(isName(worker.node) && isName(worker.life) && worker.node != worker.life)
        #expect(try kept(folder) == "\(worker.node)\n")
    }

    /// What an earlier life left there is taken over, with a life of its own.
    @Test func aKnownNameIsTakenUpAgain() throws {
        let folder = try TemporaryFolder(["node": "0123456789abcdef\n"])
        let worker = NodeName.worker(state: folder.path)
        #expect(worker.node == "0123456789abcdef")
        #expect(worker.life != NodeName.worker(state: try TemporaryFolder().path).life)
        #expect(try kept(folder) == "0123456789abcdef\n")
    }

    /// While somebody has the folder, nobody else gets its name; the lock is of the open file, as in another process.
    @Test func aFolderInUseGivesItsNameToNobodyElse() throws {
        let folder = try TemporaryFolder()
        let first = NodeName.worker(state: folder.path)
        let second = NodeName.worker(state: folder.path)
        let third = NodeName.worker(state: folder.path)
        #expect(Set([first.node, second.node, third.node]).count == 3)
        #expect(isName(second.node) && isName(third.node))
        #expect(try kept(folder) == "\(first.node)\n")
    }

    @Test func theNameGoesWithTheProcessThatHadIt() throws {
        let folder = try TemporaryFolder(["node": "0123456789abcdef\n"])
        let other = open("\(folder.path)/node", O_RDWR | O_CLOEXEC)
        try #require(other >= 0 && flock(other, LOCK_EX | LOCK_NB) == 0)
        #expect(NodeName.worker(state: folder.path).node != "0123456789abcdef")
        close(other)
        #expect(NodeName.worker(state: folder.path).node == "0123456789abcdef")
    }

    @Test(arguments: ["", "short\n", "0123456789ABCDEF\n", "0123456789abcdef0\n", "\u{0}\u{0}\n", "汴京汴京汴"])
    func whatIsNoNameIsReplaced(_ text: String) throws {
        let folder = try TemporaryFolder(["node": text])
        let worker = NodeName.worker(state: folder.path)
        #expect(isName(worker.node))
        #expect(try kept(folder).hasPrefix("\(worker.node)\n"))
    }

    /// A folder that cannot be made: the name lasts as long as the process.
    @Test func withoutAFolderThereIsANameToo() throws {
        let folder = try TemporaryFolder(["file": ""])
        let state = "\(folder.path)/file/state"
        let (first, second) = (NodeName.worker(state: state), NodeName.worker(state: state))
        #expect(isName(first.node) && isName(second.node) && first.node != second.node)
    }

    @Test func theFolderIsMadeForItsOwnerAlone() throws {
        let folder = try TemporaryFolder()
        let state = "\(folder.path)/a/state"
        _ = NodeName.worker(state: state)
        var status = stat()
        #expect(stat(state, &status) == 0 && status.st_mode & 0o777 == 0o700)
        #expect(stat("\(state)/node", &status) == 0 && status.st_mode & 0o777 == 0o600)
    }
}
