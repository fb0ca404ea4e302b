// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A file layer whose failed changes are told to a ``DiskHealth``.
struct HeededFiles: FileLayer {
    let layer: any FileLayer
    let health: DiskHealth

    var now: Int64 { layer.now }

    func makeFolder(_ path: String) throws { try health.heed { try layer.makeFolder(path) } }
    func create(_ path: String) throws -> any OpenFile {
        HeededFile(try health.heed { try layer.create(path) }, health)
    }
    func open(_ path: String) throws -> (any OpenFile)? { try layer.open(path) }
    func rename(_ path: String, to other: String) throws { try health.heed { try layer.rename(path, to: other) } }
    func remove(_ path: String) throws { try health.heed { try layer.remove(path) } }
    func syncFolder(_ path: String) throws { try health.heed { try layer.syncFolder(path) } }
    func list(_ path: String) throws -> [FolderEntry] { try layer.list(path) }
    func room(in folder: String) throws -> DiskRoom { try layer.room(in: folder) }

    func withLock<Output: Sendable>(_ folder: String, exclusive: Bool, _ body: () throws -> Output) throws -> Output {
        try layer.withLock(folder, exclusive: exclusive, body)
    }
}

/// A file to write of such a layer.
private final class HeededFile: OpenFile {
    private let file: any OpenFile
    private let health: DiskHealth

    init(_ file: any OpenFile, _ health: DiskHealth) {
        self.file = file
        self.health = health
    }

    func size() throws -> Int64 { try file.size() }
    func write(_ bytes: UnsafeRawBufferPointer) throws { try health.heed { try file.write(bytes) } }
    func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try file.read(buffer, at: offset)
    }
    func sync() throws { try health.heed { try file.sync() } }
}

extension DiskHealth {
    /// Takes note of what a change fails with.
    fileprivate func heed<Output>(_ change: () throws -> Output) throws -> Output {
        do { return try change() } catch let fault as FileFault {
            failed(fault)
            throw fault
        }
    }
}
