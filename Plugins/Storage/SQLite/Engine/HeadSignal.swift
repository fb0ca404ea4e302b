// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The last offset of the log, for those who wait for it to grow. Waiting holds no thread.
final class HeadSignal: Sendable {
    private struct State {
        var head: Int64 = 0
        var next: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// Wakes who waits for less than `head`.
    func advance(to head: Int64) {
        let woken = state.withLock { state in
            state.head = max(state.head, head)
            let woken = Array(state.waiting.values)
            state.waiting.removeAll()
            return woken
        }
        for continuation in woken { continuation.resume() }
    }

    /// Returns once the head is past `offset`, after `duration`, or when the task is cancelled.
    func wait(beyond offset: Int64, for duration: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(beyond: offset) }
            group.addTask {
                // Cancelled where the head came first, which is all this task is for.
                do { try await Task.sleep(for: duration) } catch { return }
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait(beyond offset: Int64) async {
        let ticket = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.head > offset || Task.isCancelled { return true }
                    state.waiting[ticket] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume()
        }
    }
}
