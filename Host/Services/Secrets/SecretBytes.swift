// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A secret in memory: prints as `<redacted>`, zeroed when the last reference goes.
///
/// `@unchecked Sendable`: the memory is written in `init` and `deinit` only.
public final class SecretBytes: @unchecked Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let storage: UnsafeMutableRawBufferPointer

    /// Copies `bytes`; the caller's copy is the caller's to clear.
    public init(_ bytes: some Collection<UInt8>) {
        storage = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        storage.copyBytes(from: bytes)
    }

    deinit {
        if let base = storage.baseAddress { explicit_bzero(base, storage.count) }
        storage.deallocate()
    }

    /// Bytes held.
    public var count: Int { storage.count }

    /// Lends the bytes; they must not be kept.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(storage))
    }

    /// As UTF-8. The copy is not zeroed: only for what must be a string.
    func text() -> String { withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }

    /// Never the value.
    public var description: String { "<redacted>" }
    /// Never the value.
    public var debugDescription: String { "<redacted>" }
    /// Never the value.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
