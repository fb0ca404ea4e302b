// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatreFrames
import CTheatrePlugin
import SeededRandom
import Testing

/// The codec that both ends share, with bytes of a hostile other end.
@Suite struct FrameTests {
    private static let limit: UInt64 = 4096

    /// What became of bytes.
    private enum Outcome: Equatable {
        case whole(Int)
        case more(UInt64)
        case refused(String)
    }

    private func read(_ bytes: [UInt8], from: UInt32, _ frame: inout theatre_frame) -> Outcome {
        var needed: UInt64 = 0
        var fault: UnsafePointer<CChar>?
        // In memory of exactly this size, so that a sanitizer sees any byte read beyond.
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, bytes.count))
        defer { copy.deallocate() }
        copy.update(from: bytes, count: bytes.count)
        let size = theatre_frame_read(&frame, copy, UInt64(bytes.count), from, Self.limit, &needed, &fault)
        if size > 0 { return .whole(Int(size)) }
        return size == 0 ? .more(needed) : .refused(fault.map { String(cString: $0) } ?? "")
    }

    private func write(_ frame: theatre_frame) -> [UInt8] {
        var frame = frame
        let size = Int(theatre_frame_size(&frame))
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            theatre_frame_write(&frame, buffer.baseAddress)
            count = size
        }
    }

    /// A request with every field, its parts in `memory`.
    private func request(_ memory: UnsafeBufferPointer<UInt8>) -> theatre_frame {
        var frame = theatre_frame()
        frame.type = UInt32(THEATRE_FRAME_REQUEST.rawValue)
        frame.call = 7 << 32 | 1
        frame.numbers = (1, 2, 3, 4, 5, 0)
        func part(_ range: Range<Int>) -> theatre_bytes {
            theatre_bytes(data: memory.baseAddress.map { $0 + range.lowerBound }, size: UInt64(range.count))
        }
        frame.parts = (part(0..<256), part(256..<266), part(266..<300), part(300..<300), theatre_bytes())
        return frame
    }

    private let memory = (0..<300).map { UInt8(truncatingIfNeeded: $0) }

    @Test func everyMemberOfARequestCrosses() {
        memory.withUnsafeBufferPointer { memory in
            let bytes = write(request(memory))
            var frame = theatre_frame()
            #expect(read(bytes, from: THEATRE_FROM_HOST, &frame) == .whole(bytes.count))
            #expect(frame.call == 7 << 32 | 1)
            #expect(frame.numbers.0 == 1 && frame.numbers.2 == 3 && frame.numbers.4 == 5)
            #expect(frame.parts.0.size == 256 && frame.parts.1.size == 10 && frame.parts.2.size == 34)
            #expect(frame.parts.3.size == 0 && frame.parts.3.data == nil)
            #expect(write(request(memory)) == bytes)
        }
    }

    @Test func aFrameThatIsNotWholeAsksForTheRest() {
        memory.withUnsafeBufferPointer { memory in
            let bytes = write(request(memory))
            var frame = theatre_frame()
            for count in 0..<bytes.count {
                let needed = count < 16 ? 16 : UInt64(bytes.count)
                #expect(read(Array(bytes[..<count]), from: THEATRE_FROM_HOST, &frame) == .more(needed))
            }
        }
    }

    @Test(arguments: [
        (1, UInt8(255), "larger than it may be"), (0, 8, "shorter"),
        (4, 0, "no known type"), (4, 99, "no known type"), (4, 12, "only the other end"), (5, 9, "other members"),
        (6, 0, "other members"), (7, 1, "other members"), (56, 1, "add up"), (60, 200, "add up"),
    ])
    func whatDeviatesIsRefusedWithItsReason(_ change: (Int, UInt8, String)) {
        memory.withUnsafeBufferPointer { memory in
            var bytes = write(request(memory))
            bytes[change.0] = change.1
            if change.0 == 0, change.1 == 8 { bytes[1] = 0 }
            var frame = theatre_frame()
            guard case .refused(let why) = read(bytes, from: THEATRE_FROM_HOST, &frame) else {
                Issue.record("it was taken")
                return
            }
            #expect(why.contains(change.2), "\(why)")
        }
    }

    @Test func aCallIsWhereItBelongsAndNowhereElse() {
        memory.withUnsafeBufferPointer { memory in
            var frame = request(memory)
            frame.call = 0
            var read = theatre_frame()
            #expect(self.read(write(frame), from: THEATRE_FROM_HOST, &read) != .whole(Int(theatre_frame_size(&frame))))
        }
    }

    /// Random changes of sound frames, and random bytes: whatever is taken lies within what was given.
    @Test(arguments: 0..<20 as Range<UInt64>) func noBytesLeadBeyondThemselves(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        memory.withUnsafeBufferPointer { memory in
            for _ in 0..<2000 {
                var bytes = write(request(memory))
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    bytes = (0..<Int.random(in: 0..<200, using: &random)).map { _ in
                        .random(in: 0...255, using: &random)
                    }
                case 1: bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
                default: break
                }
                for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
                    let place = Int.random(in: 0..<min(80, bytes.count), using: &random)
                    bytes[place] =
                        [0, 1, 127, 128, 255, .random(in: 0...255, using: &random)].randomElement(using: &random) ?? 0
                }
                var frame = theatre_frame()
                let from = Bool.random(using: &random) ? THEATRE_FROM_HOST : THEATRE_FROM_RUNNER
                guard case .whole(let size) = read(bytes, from: from, &frame) else { continue }
                #expect(size <= bytes.count)
                let parts = [frame.parts.0, frame.parts.1, frame.parts.2, frame.parts.3, frame.parts.4]
                #expect(parts.reduce(0) { $0 + $1.size } <= UInt64(size))
            }
        }
    }
}
