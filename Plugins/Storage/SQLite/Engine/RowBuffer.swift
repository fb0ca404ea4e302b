// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Bytes that are written one behind the other, in memory that is used again. Of one connection, so of one thread at a
/// time.
final class RowBuffer {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0
    /// What a large answer took beyond this is not kept for the next.
    private static let kept = 64 << 10

    init() {
        capacity = 1024
        base = .allocate(byteCount: capacity, alignment: 1)
    }

    deinit { base.deallocate() }

    /// Begins anew.
    func removeAll() {
        count = 0
        guard capacity > Self.kept else { return }
        base.deallocate()
        capacity = 1024
        base = .allocate(byteCount: capacity, alignment: 1)
    }

    /// A copy of what was written.
    var bytes: [UInt8] { [UInt8](UnsafeRawBufferPointer(start: base, count: count)) }

    /// Makes room for so many more bytes.
    @inline(__always)
    func reserve(_ more: Int) {
        if count + more > capacity { grow(more) }
    }

    private func grow(_ more: Int) {
        capacity = max(capacity * 2, count + more)
        let wider = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 1)
        wider.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = wider
    }

    /// Into room that was made.
    @inline(__always)
    func append(_ byte: UInt8) {
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    /// Seven bits a byte, into room that was made; 10 bytes at most.
    @inline(__always)
    func append(number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// Eight bytes, the lowest first, into room that was made.
    @inline(__always)
    func append(word: UInt64) {
        base.storeBytes(of: word.littleEndian, toByteOffset: count, as: UInt64.self)
        count += 8
    }

    /// Into room that was made.
    @inline(__always)
    func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        (base + count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    /// Writes the length of what stands behind `place` before it, where one byte was left for it.
    @inline(__always)
    func writeLength(at place: Int) {
        let length = count - place - 1
        if length < 0x80 {
            base.storeBytes(of: UInt8(length), toByteOffset: place, as: UInt8.self)
        } else {
            writeLong(length, at: place)
        }
    }

    private func writeLong(_ length: Int, at place: Int) {
        reserve(10)
        let size = WireWriter.size(UInt64(length))
        (base + place + size).copyMemory(from: base + place + 1, byteCount: length)
        count = place
        append(number: UInt64(length))
        count += length
    }
}
