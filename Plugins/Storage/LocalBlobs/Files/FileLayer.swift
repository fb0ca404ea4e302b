// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The file system as the store uses it. Every function blocks; what fails is a ``FileFault``.
///
/// Durable are the bytes of a file after ``OpenFile/sync()``, and the names in a folder after ``syncFolder(_:)``; of the
/// rest a power cut leaves anything.
protocol FileLayer: Sendable {
    /// Makes a folder; one that is there is no fault.
    func makeFolder(_ path: String) throws
    /// Makes a file to write; one that is there is a fault.
    func create(_ path: String) throws -> any OpenFile
    /// Opens a file to read; nil where there is none.
    func open(_ path: String) throws -> (any OpenFile)?
    /// Gives a file another name, over whatever has it.
    func rename(_ path: String, to other: String) throws
    /// Removes a file; one that is not there is no fault.
    func remove(_ path: String) throws
    /// Makes the names in a folder durable.
    func syncFolder(_ path: String) throws
    /// What is in a folder; nothing where there is none.
    func list(_ path: String) throws -> [FolderEntry]
    /// Runs `body` while no other holds the folder's lock otherwise than shared, in this process or another.
    func withLock<Output: Sendable>(_ folder: String, exclusive: Bool, _ body: () throws -> Output) throws -> Output
    /// What the file system of a folder has room for.
    func room(in folder: String) throws -> DiskRoom
    /// Seconds since 1970 on the clock that stamps files.
    var now: Int64 { get }
}

/// An open file, closed with the last reference. One thread at a time.
protocol OpenFile: AnyObject, Sendable {
    /// Bytes in the file.
    func size() throws -> Int64
    /// Appends all of the bytes.
    func write(_ bytes: UnsafeRawBufferPointer) throws
    /// Reads until the buffer is full or the file ends; how many bytes.
    func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int
    /// Stamps the file with the time and makes its bytes durable.
    func sync() throws
}

/// A file in a folder.
struct FolderEntry: Sendable, Hashable {
    var name: String
    /// Seconds since 1970.
    var modifiedAt: Int64
}

/// What a file system has room for.
struct DiskRoom: Sendable, Hashable {
    /// Nobody may write to it, as it is mounted.
    var isReadOnly: Bool
    /// Bytes that this process may still store, none where no file can be made; nil where the system does not count them.
    var free: Int64?
}
