// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatreFrames
import CTheatrePlugin
import Dispatch
import Foundation
import Glibc
import SeededRandom
import Synchronization
import Testing

/// Bytes through memory that two ends share, and an end that lies about them.
@Suite struct PipeTests {
    /// Both ends, and the memory as a hostile end sees it.
    private final class Ends: @unchecked Sendable {
        // Each end is used by one thread at a time for sending and one for receiving.
        var host = theatre_pipe()
        var runner = theatre_pipe()
        let sockets: (Int32, Int32)
        let memory: UnsafeMutableRawPointer

        init() throws {
            let descriptor = theatre_pipe_make()
            try #require(descriptor >= 0)
            defer { close(descriptor) }
            var pair: [Int32] = [-1, -1]
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
            sockets = (pair[0], pair[1])
            try #require(theatre_pipe_open(&host, descriptor, pair[0], 1) == 0)
            try #require(theatre_pipe_open(&runner, descriptor, pair[1], 0) == 0)
            memory = try #require(runner.memory)
            // Neither end can take the memory away from under the other.
            #expect(ftruncate(descriptor, 0) != 0)
            #expect(ftruncate(descriptor, 1 << 20) != 0)
        }

        deinit {
            theatre_pipe_close(&host)
            theatre_pipe_close(&runner)
            close(sockets.0)
            close(sockets.1)
        }

        /// A count of a ring: `line` 0 is what was sent, 1 what was received.
        func count(ring: Int, line: Int) -> UnsafeMutablePointer<UInt64> {
            (memory + ring * Self.ring + line * 64).assumingMemoryBound(to: UInt64.self)
        }

        static let capacity = 256 << 10
        static let ring = 256 + capacity
    }

    private final class Failures: Sendable {
        let count = Atomic(0)
    }

    /// Sends all of it in pieces of random sizes, as an end that may wait does.
    private static func send(_ bytes: [UInt8], _ pipe: UnsafeMutablePointer<theatre_pipe>, seed: UInt64) -> Bool {
        var random = SeededGenerator(seed: seed), at = 0
        while at < bytes.count {
            let size = min(bytes.count - at, Int.random(in: 1...9000, using: &random))
            let sent = bytes.withUnsafeBufferPointer {
                theatre_pipe_send(pipe, $0.baseAddress.map { $0 + at }, UInt64(size))
            }
            if sent < 0 { return false }
            if sent == 0 { theatre_pipe_await_room(pipe) }
            at += Int(sent)
        }
        return true
    }

    /// Receives as much, sleeping whenever there is nothing.
    private static func receive(_ count: Int, _ pipe: UnsafeMutablePointer<theatre_pipe>, seed: UInt64) -> [UInt8] {
        var random = SeededGenerator(seed: seed), found: [UInt8] = [], piece = [UInt8](repeating: 0, count: 70_000)
        while found.count < count {
            let size = Int.random(in: 1...piece.count, using: &random)
            let came = theatre_pipe_receive(pipe, &piece, UInt64(size))
            if came < 0 { return found }
            found += piece.prefix(Int(came))
            guard came == 0 else { continue }
            if theatre_pipe_rest(pipe) != 0, theatre_pipe_take_wakes(pipe, 0) != 1 { return found }
            theatre_pipe_rise(pipe)
        }
        return found
    }

    @Test(arguments: 1...20) func whatIsSentBothWaysArrivesWholeAndInOrder(_ seed: UInt64) async throws {
        let ends = try Ends()
        var random = SeededGenerator(seed: seed)
        let there = (0..<Int.random(in: 1...1_500_000, using: &random)).map { _ in
            UInt8.random(in: 0...255, using: &random)
        }
        let back = (0..<Int.random(in: 1...1_500_000, using: &random)).map { _ in
            UInt8.random(in: 0...255, using: &random)
        }
        let jobs: [@Sendable () -> Bool] = [
            { Self.send(there, &ends.host, seed: seed) },
            { Self.send(back, &ends.runner, seed: seed + 1) },
            { Self.receive(there.count, &ends.runner, seed: seed + 2) == there },
            { Self.receive(back.count, &ends.host, seed: seed + 3) == back },
        ]
        let failed = Failures()
        let done = DispatchGroup()
        for job in jobs {
            done.enter()
            Thread.detachNewThread {
                if !job() { failed.count.add(1, ordering: .relaxed) }
                done.leave()
            }
        }
        #expect(done.wait(timeout: .now() + 60) == .success)
        #expect(failed.count.load(ordering: .relaxed) == 0)
    }

    @Test func theEndOfTheOtherWakesWhoRests() throws {
        let ends = try Ends()
        var piece: [UInt8] = [1, 2, 3]
        #expect(theatre_pipe_send(&ends.runner, &piece, 3) == 3)
        shutdown(ends.sockets.1, Int32(SHUT_RDWR))
        #expect(theatre_pipe_rest(&ends.host) == 0)
        #expect(theatre_pipe_receive(&ends.host, &piece, 3) == 3)
        #expect(theatre_pipe_rest(&ends.host) == 1)
        #expect(theatre_pipe_take_wakes(&ends.host, 0) == 0)
    }

    @Test func aFullPipeTakesNoMoreUntilTheOtherReads() throws {
        let ends = try Ends()
        var bytes = [UInt8](repeating: 7, count: Ends.capacity + 1)
        #expect(theatre_pipe_send(&ends.host, &bytes, UInt64(bytes.count)) == Ends.capacity)
        #expect(theatre_pipe_send(&ends.host, &bytes, 1) == 0)
        #expect(theatre_pipe_receive(&ends.runner, &bytes, 10) == 10)
        #expect(theatre_pipe_take_wakes(&ends.host, Int32(MSG_DONTWAIT)) == 1)
        #expect(theatre_pipe_send(&ends.host, &bytes, UInt64(bytes.count)) == 10)
    }

    @Test(arguments: [UInt64.max, UInt64.max / 2, UInt64(Ends.capacity) + 1]) func countsThatCannotBeAreRefused(
        _ count: UInt64
    ) throws {
        let ends = try Ends()
        var bytes = [UInt8](repeating: 0, count: 100)
        ends.count(ring: 1, line: 0).pointee = count
        #expect(theatre_pipe_receive(&ends.host, &bytes, 100) == -Int64(EPROTO))
        ends.count(ring: 0, line: 1).pointee = count
        #expect(theatre_pipe_send(&ends.host, &bytes, 100) == -Int64(EPROTO))
    }

    /// Frames larger than the pipe, put by one thread while another flushes at each wake, as a link does: none is left
    /// lying because the wake came before anybody could see that somebody waited for it.
    @Test func whatWasStuckGoesOutAtTheNextWake() throws {
        let ends = try Ends()
        let box = UnsafeMutablePointer<theatre_outbox>.allocate(capacity: 1)
        defer { box.deallocate() }
        theatre_outbox_open(box, &ends.host, 1 << 30, 0)
        let count = 400, payload = [UInt8](repeating: 7, count: Ends.capacity + 5000)
        let outbox = Outbox(box)
        let received = Failures(), isDone = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            while theatre_pipe_take_wakes(&ends.host, 0) == 1 { theatre_outbox_flush(outbox.box) }
            isDone.signal()
        }
        Thread.detachNewThread {
            var inbox = theatre_inbox(), frame = theatre_frame()
            var fault: UnsafePointer<CChar>?
            theatre_inbox_open(&inbox, &ends.runner, 1 << 20, UInt32(THEATRE_FROM_HOST))
            while received.count.load(ordering: .relaxed) < count {
                while theatre_inbox_next(&inbox, &frame, &fault) == 1 { received.count.add(1, ordering: .relaxed) }
                if received.count.load(ordering: .relaxed) == count || theatre_inbox_receive(&inbox) != 0 { continue }
                if theatre_pipe_rest(&ends.runner) != 0, theatre_pipe_take_wakes(&ends.runner, 0) != 1 { break }
                theatre_pipe_rise(&ends.runner)
            }
            theatre_inbox_close(&inbox)
            shutdown(ends.sockets.0, Int32(SHUT_RDWR))
        }
        for number in 0..<count {
            payload.withUnsafeBufferPointer { bytes in
                var frame = theatre_frame()
                frame.type = UInt32(THEATRE_FRAME_CHUNK.rawValue)
                frame.call = 1
                frame.numbers.0 = UInt64(number)
                frame.parts.0 = theatre_bytes(data: bytes.baseAddress, size: UInt64(bytes.count))
                theatre_outbox_put(outbox.box, &frame)
            }
        }
        #expect(isDone.wait(timeout: .now() + 60) == .success, "something is left lying")
        #expect(received.count.load(ordering: .relaxed) == count)
        // Whoever is stuck is let go before the memory is.
        shutdown(ends.sockets.0, Int32(SHUT_RDWR))
        theatre_outbox_close(box)
    }

    /// Locked by itself.
    private struct Outbox: @unchecked Sendable {
        let box: UnsafeMutablePointer<theatre_outbox>
        init(_ box: UnsafeMutablePointer<theatre_outbox>) { self.box = box }
    }
}
