// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import Glibc
internal import Synchronization

/// The bytes of a library as they were verified, held once: as read until it is loaded, then in the sealed memory that the
/// loader maps, or not at all where the library does not run.
///
/// Any thread may call any of it.
public final class PluginImage: Sendable {
    private enum State {
        case read([UInt8])
        /// Never closed, because the loader knows images by the descriptor's number.
        case sealed(Int32, isMapped: Bool)
        case dropped
    }

    /// Size of the library.
    public let count: Int
    private let name: String
    private let path: String
    private let digest: String
    private let state: Mutex<State>

    init(_ bytes: [UInt8], name: String, path: String, digest: String) {
        count = bytes.count
        self.name = name
        self.path = path
        self.digest = digest
        state = Mutex(.read(bytes))
    }

    /// All of it.
    ///
    /// - Throws: `plugin.changed` where it was dropped and the file is another since; `plugin.memory`.
    public func bytes() throws(LoadError) -> [UInt8] {
        try held { state throws(LoadError) in try bytes(state) }
    }

    /// A descriptor of sealed memory with these bytes, closed at `exec`: one for all who ask, so nobody closes it.
    ///
    /// - Throws: as ``bytes()``.
    public func sealed() throws(LoadError) -> Int32 {
        try held { state throws(LoadError) in try seal(&state) }
    }

    /// A descriptor of sealed memory that nobody mapped yet, since the loader takes what it knows for loaded already. Nobody
    /// closes it.
    func unmapped() throws(LoadError) -> Int32 {
        try held { state throws(LoadError) in
            if case .sealed(_, isMapped: true) = state { return try sealed(try bytes(state)) }
            let descriptor = try seal(&state)
            state = .sealed(descriptor, isMapped: true)
            return descriptor
        }
    }

    /// Forgets the bytes of a library that does not run here; asked for, they are read and verified again.
    func drop() {
        state.withLock { state in
            guard case .read = state else { return }
            state = .dropped
        }
    }

    private func held<T: Sendable>(_ body: (inout State) throws(LoadError) -> T) throws(LoadError) -> T {
        let result = state.withLock { state -> Result<T, LoadError> in
            Result { () throws(LoadError) in try body(&state) }
        }
        return try result.get()
    }

    private func seal(_ state: inout State) throws(LoadError) -> Int32 {
        if case .sealed(let descriptor, _) = state { return descriptor }
        let descriptor = try sealed(try bytes(state))
        state = .sealed(descriptor, isMapped: false)
        return descriptor
    }

    private func sealed(_ bytes: [UInt8]) throws(LoadError) -> Int32 {
        let descriptor = bytes.withUnsafeBufferPointer { theatre_image_seal(name, $0.baseAddress, UInt64($0.count)) }
        guard descriptor >= 0 else { throw failure(-descriptor) }
        return descriptor
    }

    private func bytes(_ state: borrowing State) throws(LoadError) -> [UInt8] {
        switch state {
        case .read(let bytes): return bytes
        case .sealed(let descriptor, _):
            guard let bytes = WholeFile.bytes(descriptor, count) else { throw failure(errno) }
            return bytes
        case .dropped:
            guard let bytes = WholeFile.bytes(path), WholeFile.digest(bytes) == digest else {
                throw LoadError(
                    plugin: name, code: "plugin.changed", expected: "the library that was verified, \(digest)",
                    found: "another at \(path), or none", fix: "reload, so that it is verified anew")
            }
            return bytes
        }
    }

    private func failure(_ error: Int32) -> LoadError {
        LoadError(
            plugin: name, code: "plugin.memory", expected: "a sealed copy of the library",
            found: String(cString: strerror(error)), fix: "free memory, or allow memfd_create")
    }
}
