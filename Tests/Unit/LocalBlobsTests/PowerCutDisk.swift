// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc
import SeededRandom
import Synchronization

@testable import LocalBlobs

/// A disk in memory that loses at a power cut whatever was not made durable: any part of a file's bytes, any name of a
/// folder, each by itself.
final class PowerCutDisk: FileLayer {
    enum Entry: Hashable {
        case file(Int)
        case folder
    }

    struct Names {
        var volatile: [String: Entry] = [:]
        var durable: [String: Entry] = [:]
    }

    struct Bytes {
        var volatile: [UInt8] = []
        var durable: [UInt8] = []
        var modifiedAt: Int64 = 0
    }

    struct State {
        var folders: [String: Names]
        var files: [Int: Bytes] = [:]
        var nextFile = 0
        var clock: Int64 = 1_750_000_000
        /// How many more changes reach the disk.
        var changesLeft = Int.max
        var random: SeededGenerator
    }

    let state: Mutex<State>
    /// One lock for all folders; whether it is shared makes no difference here.
    private let lock = Mutex(())

    init(root: String, seed: UInt64) {
        state = Mutex(State(folders: [root: Names()], random: SeededGenerator(seed: seed)))
    }

    private init(_ after: State) { state = Mutex(after) }

    var now: Int64 { state.withLock { $0.clock } }

    func advance(seconds: Int64) { state.withLock { $0.clock += seconds } }
    func cutPower(after changes: Int) { state.withLock { $0.changesLeft = changes } }
    var isOut: Bool { state.withLock { $0.changesLeft <= 0 } }

    // MARK: FileLayer

    func makeFolder(_ path: String) throws {
        try change("mkdir") { state in
            let (parent, name) = split(path)
            guard state.folders[parent]?.volatile[name] == nil else { return }
            guard state.folders[parent] != nil else { throw FileFault("mkdir", code: ENOENT) }
            state.folders[parent]?.volatile[name] = .folder
            state.folders[path] = Names()
        }
    }

    func create(_ path: String) throws -> any OpenFile {
        let id = try change("create") { state in
            let (parent, name) = split(path)
            guard let names = state.folders[parent] else { throw FileFault("create", code: ENOENT) }
            guard names.volatile[name] == nil else { throw FileFault("create", code: EEXIST) }
            state.nextFile += 1
            state.files[state.nextFile] = Bytes(modifiedAt: state.clock)
            state.folders[parent]?.volatile[name] = .file(state.nextFile)
            return state.nextFile
        }
        return MemoryFile(self, id)
    }

    func open(_ path: String) throws -> (any OpenFile)? {
        try state.withLock { state in
            guard state.changesLeft > 0 else { throw FileFault("open", code: EIO) }
            let (parent, name) = split(path)
            guard case .file(let id)? = state.folders[parent]?.volatile[name] else { return nil }
            return MemoryFile(self, id)
        }
    }

    func rename(_ path: String, to other: String) throws {
        try change("rename") { state in
            let (from, to) = (split(path), split(other))
            guard let entry = state.folders[from.0]?.volatile[from.1], state.folders[to.0] != nil else {
                throw FileFault("rename", code: ENOENT)
            }
            state.folders[from.0]?.volatile[from.1] = nil
            state.folders[to.0]?.volatile[to.1] = entry
        }
    }

    func remove(_ path: String) throws {
        try change("unlink") { state in
            let (parent, name) = split(path)
            state.folders[parent]?.volatile[name] = nil
        }
    }

    func syncFolder(_ path: String) throws {
        try change("fsync") { state in
            guard let names = state.folders[path] else { throw FileFault("fsync", code: ENOENT) }
            state.folders[path]?.durable = names.volatile
        }
    }

    func list(_ path: String) throws -> [FolderEntry] {
        state.withLock { state in
            (state.folders[path]?.volatile ?? [:]).compactMap { name, entry in
                guard case .file(let id) = entry, let bytes = state.files[id] else { return nil }
                return FolderEntry(name: name, modifiedAt: bytes.modifiedAt)
            }
        }
    }

    func withLock<Output: Sendable>(_ folder: String, exclusive: Bool, _ body: () throws -> Output) throws -> Output {
        try lock.withLock { _ in try body() }
    }

    func room(in folder: String) throws -> DiskRoom { DiskRoom(isReadOnly: false, free: nil) }

    // MARK: The power cut

    /// Changes the disk, unless the power is out.
    func change<Output: Sendable>(_ operation: String, _ body: (inout State) throws -> Output) throws -> Output {
        try state.withLock { state in
            guard state.changesLeft > 0 else { throw FileFault(operation, code: EIO) }
            state.changesLeft -= 1
            return try body(&state)
        }
    }

    /// What is found after the power has come back.
    func afterPowerCut() -> PowerCutDisk {
        state.withLock { state in
            var after = state
            after.changesLeft = .max
            for (path, names) in state.folders {
                var kept: [String: Entry] = [:]
                for name in Set(names.volatile.keys).union(names.durable.keys).sorted() {
                    kept[name] = Bool.random(using: &after.random) ? names.volatile[name] : names.durable[name]
                }
                after.folders[path] = Names(volatile: kept, durable: kept)
            }
            // A folder that lost its name is out of reach; made again, it is empty.
            for path in state.folders.keys {
                let (parent, name) = split(path)
                if let names = after.folders[parent], names.volatile[name] != .folder { after.folders[path] = nil }
            }
            for id in state.files.keys.sorted() { after.files[id] = Self.found(state.files[id], &after.random) }
            return PowerCutDisk(after)
        }
    }

    private static func found(_ bytes: Bytes?, _ random: inout SeededGenerator) -> Bytes? {
        guard var bytes, bytes.durable != bytes.volatile else { return bytes }
        switch random.next() % 3 {
        case 0: bytes.volatile = bytes.durable
        case 1: bytes.volatile = Array(bytes.volatile.prefix(Int(random.next() % UInt64(bytes.volatile.count + 1))))
        default: bytes.volatile = [UInt8](repeating: 0, count: bytes.volatile.count)
        }
        bytes.durable = bytes.volatile
        return bytes
    }
}

private func split(_ path: String) -> (String, String) {
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    return (String(path[..<slash]), String(path[slash...].dropFirst()))
}

/// A file of the disk.
private final class MemoryFile: OpenFile {
    private let disk: PowerCutDisk
    private let id: Int

    init(_ disk: PowerCutDisk, _ id: Int) {
        self.disk = disk
        self.id = id
    }

    func size() throws -> Int64 { disk.state.withLock { Int64($0.files[id]?.volatile.count ?? 0) } }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        let bytes = Array(bytes)
        try disk.change("write") { state in
            state.files[id]?.volatile += bytes
            state.files[id]?.modifiedAt = state.clock
        }
    }

    func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        let bytes = disk.state.withLock {
            Array(($0.files[id]?.volatile ?? []).dropFirst(Int(offset)).prefix(buffer.count))
        }
        buffer.copyBytes(from: bytes)
        return bytes.count
    }

    func sync() throws {
        try disk.change("fsync") { state in
            guard let bytes = state.files[id]?.volatile else { return }
            state.files[id]?.durable = bytes
            state.files[id]?.modifiedAt = state.clock
        }
    }
}
