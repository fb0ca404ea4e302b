// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization

@testable import LocalBlobs

/// The files of this machine, some of whose changes fail as they are told, and whose room is as it is told.
final class FaultyDisk: FileLayer {
    struct State {
        /// errno by operation.
        var faults: [String: Int32] = [:]
        var room: DiskRoom?
        /// Bytes written.
        var written = 0
    }

    private let layer = SystemFiles()
    let state = Mutex(State())

    /// Lets these operations fail with an errno, and no others.
    func fail(_ operations: [String], with code: Int32) {
        state.withLock { $0.faults = Dictionary(uniqueKeysWithValues: operations.map { ($0, code) }) }
    }

    func heal() { fail([], with: 0) }
    func setRoom(_ room: DiskRoom?) { state.withLock { $0.room = room } }
    var written: Int { state.withLock { $0.written } }

    fileprivate func meet(_ operation: String) throws {
        if let code = state.withLock({ $0.faults[operation] }) { throw FileFault(operation, code: code) }
    }

    fileprivate func wrote(_ count: Int) { state.withLock { $0.written += count } }

    // MARK: FileLayer

    var now: Int64 { layer.now }

    func makeFolder(_ path: String) throws {
        try meet("mkdir")
        try layer.makeFolder(path)
    }

    func create(_ path: String) throws -> any OpenFile {
        try meet("create")
        return FaultyFile(self, try layer.create(path))
    }

    func open(_ path: String) throws -> (any OpenFile)? {
        try meet("open")
        return try layer.open(path)
    }

    func rename(_ path: String, to other: String) throws {
        try meet("rename")
        try layer.rename(path, to: other)
    }

    func remove(_ path: String) throws {
        try meet("unlink")
        try layer.remove(path)
    }

    func syncFolder(_ path: String) throws {
        try meet("fsync")
        try layer.syncFolder(path)
    }

    func list(_ path: String) throws -> [FolderEntry] { try layer.list(path) }

    func withLock<Output: Sendable>(_ folder: String, exclusive: Bool, _ body: () throws -> Output) throws -> Output {
        try layer.withLock(folder, exclusive: exclusive, body)
    }

    func room(in folder: String) throws -> DiskRoom {
        try state.withLock { $0.room } ?? layer.room(in: folder)
    }
}

/// A file of the disk.
private final class FaultyFile: OpenFile {
    private let disk: FaultyDisk
    private let file: any OpenFile

    init(_ disk: FaultyDisk, _ file: any OpenFile) {
        self.disk = disk
        self.file = file
    }

    func size() throws -> Int64 { try file.size() }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try disk.meet("write")
        try file.write(bytes)
        disk.wrote(bytes.count)
    }

    func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try file.read(buffer, at: offset)
    }

    func sync() throws {
        try disk.meet("fsync")
        try file.sync()
    }
}
