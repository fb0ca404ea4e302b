// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A number that grows, for those who wait for it to: the last offset of a log. Waiting holds no thread.
public final class HeadSignal: Sendable {
    private struct State {
        var head: Int64
        var next: UInt64 = 0
        var waiting: [UInt64: (offset: Int64, continuation: CheckedContinuation<Void, Never>)] = [:]
    }

    private let state: Mutex<State>

    /// A signal that stands at `head`.
    public init(_ head: Int64 = 0) { state = Mutex(State(head: head)) }

    /// Where it stands.
    public var head: Int64 { state.withLock { $0.head } }

    /// Wakes who waits for less than `head`.
    public func advance(to head: Int64) {
        let woken = state.withLock { state in
            state.head = max(state.head, head)
            let ready = state.waiting.filter { $0.value.offset < state.head }
            for ticket in ready.keys { state.waiting[ticket] = nil }
            return ready.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume() }
    }

    /// Sets it where it now is, which may be less than before, and wakes everybody.
    public func reset(to head: Int64) {
        let woken = state.withLock { state in
            state.head = head
            defer { state.waiting = [:] }
            return state.waiting.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume() }
    }

    /// Returns once the head is past `offset`, after `duration`, or when the task is cancelled.
    public func wait(beyond offset: Int64, for duration: Duration) async {
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
                    state.waiting[ticket] = (offset, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: ticket) }?.continuation.resume()
        }
    }
}
