// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import CValidator

/// How what crosses the interface lies in memory.
enum Shape: Sendable {
    /// As this host has it.
    case plain
    /// Of exactly the stated size, right before memory that nobody may touch: a reader that goes on ends.
    case exact
    /// Longer than any revision known, the rest poison: a reader that believes it goes wrong.
    case longer

    /// Bytes beyond the known end.
    static let poison = 64
}

/// Memory that is lent for the length of one function call, and taken away afterwards where that is asked.
struct Lender {
    let shape: Shape
    /// Where lent memory loses every right when it is given back.
    let revokes: Bool
    private var mappings: [(base: UnsafeMutableRawPointer, length: UInt64)] = []
    private var blocks: [UnsafeMutableRawPointer] = []

    init(_ shape: Shape, revokes: Bool = false) {
        self.shape = shape
        self.revokes = revokes
    }

    private mutating func room(_ size: Int) -> UnsafeMutableRawPointer {
        if shape == .exact || revokes {
            var base: UnsafeMutableRawPointer?
            var length: UInt64 = 0
            if let start = validator_guarded(UInt64(max(size, 1)), &base, &length), let base {
                mappings.append((base, length))
                return start
            }
        }
        let block = UnsafeMutableRawPointer.allocate(byteCount: max(size, 1), alignment: 16)
        blocks.append(block)
        return block
    }

    /// Bytes as the interface has them.
    mutating func bytes(_ content: [UInt8]) -> theatre_bytes {
        guard !content.isEmpty else { return theatre_bytes(data: nil, size: 0) }
        let start = room(content.count)
        content.withUnsafeBytes {
            start.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(start), byteCount: $0.count)
        }
        return theatre_bytes(
            data: UnsafePointer(start.assumingMemoryBound(to: UInt8.self)), size: UInt64(content.count))
    }

    /// A structure in the shape; its first member is its size.
    mutating func structure<T>(_ value: T) -> UnsafeMutablePointer<T> {
        let known = MemoryLayout<T>.size
        let size = shape == .longer ? known + Shape.poison : known
        let start = room(size)
        if shape == .longer { (start + known).initializeMemory(as: UInt8.self, repeating: 0xA5, count: Shape.poison) }
        let typed = start.bindMemory(to: T.self, capacity: 1)
        typed.initialize(to: value)
        start.storeBytes(of: UInt32(size), as: UInt32.self)
        return typed
    }

    /// Ends the loan.
    mutating func giveBack() {
        for mapping in mappings {
            if revokes {
                validator_revoke(mapping.base, mapping.length)
            } else {
                validator_release(mapping.base, mapping.length)
            }
        }
        for block in blocks { block.deallocate() }
        mappings = []
        blocks = []
    }
}

extension theatre_bytes {
    var buffer: UnsafeRawBufferPointer {
        guard let data, size > 0, let count = Int(exactly: size) else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(start: data, count: count)
    }
    var copy: [UInt8] { [UInt8](buffer) }
    var text: String { String(decoding: buffer, as: UTF8.self) }
    var isText: Bool { String(validating: buffer, as: UTF8.self) != nil }
}
