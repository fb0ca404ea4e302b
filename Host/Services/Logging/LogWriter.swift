// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Glibc
internal import NIOPosix
internal import Synchronization

/// Writes lines to a file descriptor on a thread of its own; whoever logs never waits for it.
public final class LogWriter: Sendable {
    private struct State {
        var lines: [[UInt8]] = []
        var dropped = 0
        var isWriting = false
    }

    private let state = Mutex(State())
    private let descriptor: Int32
    private let bound: Int
    private let thread = NIOThreadPool(numberOfThreads: 1)

    /// A writer to `descriptor` (2: standard error), which keeps at most `bound` lines and drops further ones.
    public init(descriptor: Int32 = 2, bound: Int = 8192) {
        self.descriptor = descriptor
        self.bound = bound
        thread.start()
    }

    /// Lines that were dropped because the reader did not keep up.
    public var dropped: Int { state.withLock { $0.dropped } }

    /// The count of dropped lines.
    public func metrics() -> [MetricFamily] {
        [
            MetricFamily(
                "theatre_log_lines_dropped_total", .counter, "Log lines dropped because nobody read them in time.",
                [MetricSample([:], Double(dropped))])
        ]
    }

    /// Queues a line, which ends with a line feed. On any thread, at once.
    func write(_ line: [UInt8]) {
        let mustStart = state.withLock { state in
            guard state.lines.count < bound else {
                state.dropped += 1
                return false
            }
            state.lines.append(line)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustStart { thread.submit { [self] state in if state == .active { drain() } } }
    }

    /// Writes everything that is queued, then ends; lines that come later are lost. Blocks: for the end of the process.
    public func close() throws {
        // The pool does not wait at its end for what it has not begun.
        let written = DispatchSemaphore(value: 0)
        thread.submit { _ in written.signal() }
        written.wait()
        try thread.syncShutdownGracefully()
    }

    private func drain() {
        while let lines = next() {
            for line in lines { writeAll(line) }
        }
    }

    private func next() -> [[UInt8]]? {
        state.withLock { state in
            guard !state.lines.isEmpty else {
                state.isWriting = false
                return nil
            }
            defer { state.lines = [] }
            return state.lines
        }
    }

    private func writeAll(_ line: [UInt8]) {
        var rest = line[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // There is no place to report it but the counter.
            guard count > 0 else { return state.withLock { $0.dropped += 1 } }
            rest = rest.dropFirst(count)
        }
    }
}
