// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CPostgreSQL
import Glibc
import Synchronization

/// What is told of a descriptor's state, on the loop's thread.
protocol DescriptorWatcher: AnyObject {
    func ready(readable: Bool, writable: Bool)
}

/// The one thread that every connection lives on: descriptors, timers, and work that others hand it.
///
/// Unchecked: `queued` is touched with the mutex held; everything else on the loop's thread only.
final class EventLoop: @unchecked Sendable {
    private struct Watch {
        weak var watcher: (any DescriptorWatcher)?
        var descriptor: Int32
        var readable: Bool
        var writable: Bool
    }

    private let epoll: Int32
    private let counter: Int32
    private let queued = Mutex<(work: [@Sendable () -> Void], isClosed: Bool)>(([], false))
    private var watches: [UInt64: Watch] = [:]
    private var nextToken: UInt64 = 1
    private var timers = TimerQueue()
    private var isEnding = false
    private var endings: [() -> Void] = []
    /// Set once the thread runs; nobody hands anything in on it before.
    private let thread = Atomic<UInt>(0)
    /// How often the loop takes what was handed in, before it looks at the descriptors again.
    private static let rounds = 8

    /// Starts the thread.
    init(name: String) throws(WireError) {
        cpg_keep_encryption()
        epoll = cpg_epoll()
        counter = cpg_counter()
        guard epoll >= 0, counter >= 0, cpg_watch(epoll, counter, 0, 1, 0, 0) == 0 else {
            throw WireError(.local, message: "No descriptors are left for the database's event thread.")
        }
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Start(loop: self, name: name))
        let failure = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                cpg_name_thread(start.name)
                start.loop.serve()
                return nil
            }, box.toOpaque())
        guard failure == 0 else {
            box.release()
            throw WireError(.local, message: "The database's event thread cannot be started.")
        }
        pthread_detach(thread)
    }

    private final class Start {
        let loop: EventLoop
        let name: String

        init(loop: EventLoop, name: String) {
            self.loop = loop
            self.name = name
        }
    }

    // MARK: From any thread

    /// Runs `work` on the loop's thread, after what was handed in before. Once the thread has ended it is dropped and `gone`
    /// is called in its place, here: nobody may wait for what never comes.
    func execute(_ work: @escaping @Sendable () -> Void, orElse gone: () -> Void = {}) {
        let isTaken = queued.withLock { queued in
            guard !queued.isClosed else { return false }
            queued.work.append(work)
            // The loop looks before it waits. Woken under the lock: once it is closed, the counter's number may be that of
            // somebody else's file.
            if queued.work.count == 1, thread.load(ordering: .relaxed) != UInt(pthread_self()) { wake() }
            return true
        }
        if !isTaken { gone() }
    }

    /// Runs what was handed in, then ends the thread; `ended` is the last it does.
    func close(_ ended: @escaping @Sendable () -> Void = {}) {
        execute {
            self.isEnding = true
            self.endings.append(ended)
        } orElse: {
            ended()
        }
    }

    private func wake() {
        var one: UInt64 = 1
        _ = write(counter, &one, 8)
    }

    // MARK: On the loop's thread

    /// Watches a descriptor; the token names it from now on. The watcher is not kept alive.
    func watch(_ descriptor: Int32, _ watcher: any DescriptorWatcher, readable: Bool, writable: Bool) -> UInt64 {
        let token = nextToken
        nextToken += 1
        watches[token] = Watch(watcher: watcher, descriptor: descriptor, readable: readable, writable: writable)
        _ = cpg_watch(epoll, descriptor, 0, readable ? 1 : 0, writable ? 1 : 0, token)
        return token
    }

    /// Changes what is watched for.
    func watch(_ token: UInt64, readable: Bool, writable: Bool) {
        guard var watch = watches[token], watch.readable != readable || watch.writable != writable else { return }
        watch.readable = readable
        watch.writable = writable
        watches[token] = watch
        _ = cpg_watch(epoll, watch.descriptor, 1, readable ? 1 : 0, writable ? 1 : 0, token)
    }

    /// Watches it no longer; before the descriptor is closed.
    func unwatch(_ token: UInt64) {
        guard let watch = watches.removeValue(forKey: token) else { return }
        _ = cpg_unwatch(epoll, watch.descriptor)
    }

    /// Runs `work` once that many milliseconds have passed.
    func after(milliseconds: Int, _ work: @escaping () -> Void) -> TimerQueue.ID {
        timers.add(at: monotonicMilliseconds() + UInt64(max(0, milliseconds)), work)
    }

    /// The timer will not run.
    func cancel(_ timer: TimerQueue.ID) { timers.remove(timer) }

    private func serve() {
        var tokens = [UInt64](repeating: 0, count: 64)
        var states = [UInt32](repeating: 0, count: 64)
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        var isMoreQueued = false
        while !isEnding {
            let wait = timers.next.map { Int32(clamping: Int64($0) - Int64(monotonicMilliseconds())) } ?? 60_000
            let count = cpg_wait(epoll, &tokens, &states, isMoreQueued ? 0 : max(0, wait))
            for index in 0..<max(0, Int(count)) {
                if tokens[index] == 0 {
                    var ignored: UInt64 = 0
                    _ = read(counter, &ignored, 8)
                } else if let watch = watches[tokens[index]] {
                    let state = states[index]
                    watch.watcher?.ready(readable: state & 5 != 0, writable: state & 6 != 0)
                }
            }
            for work in timers.due(monotonicMilliseconds()) { work() }
            isMoreQueued = runQueued()
        }
        let late = queued.withLock { queued in
            defer { queued = ([], true) }
            return queued.work
        }
        for work in late { work() }
        Glibc.close(epoll)
        Glibc.close(counter)
        for ended in endings { ended() }
    }

    /// Runs what was handed in, and what that hands in; true where there may be more.
    private func runQueued() -> Bool {
        for _ in 0..<Self.rounds {
            let work = queued.withLock { queued in
                let work = queued.work
                queued.work = []
                return work
            }
            if work.isEmpty { return false }
            for item in work { item() }
        }
        return true
    }
}

/// Timers in order of their time.
struct TimerQueue {
    typealias ID = UInt64

    private var works: [ID: () -> Void] = [:]
    /// A binary heap by time; entries whose work is gone are passed over.
    private var heap: [(time: UInt64, id: ID)] = []
    private var nextID: ID = 1

    /// The time of the next one, in milliseconds of the monotonic clock.
    var next: UInt64? { heap.first?.time }

    mutating func add(at time: UInt64, _ work: @escaping () -> Void) -> ID {
        let id = nextID
        nextID += 1
        works[id] = work
        heap.append((time, id))
        var child = heap.count - 1
        while child > 0, heap[child].time < heap[(child - 1) / 2].time {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
        return id
    }

    mutating func remove(_ id: ID) {
        works[id] = nil
        while let first = heap.first, works[first.id] == nil { pop() }
        // Most timers are removed long before their time: what they leave is swept out now and then.
        if heap.count > 64, heap.count > works.count * 4 {
            heap = heap.filter { works[$0.id] != nil }.sorted { $0.time < $1.time }
        }
    }

    /// What is due, in order.
    mutating func due(_ now: UInt64) -> [() -> Void] {
        var found: [() -> Void] = []
        while let first = heap.first, first.time <= now {
            pop()
            if let work = works.removeValue(forKey: first.id) { found.append(work) }
        }
        return found
    }

    private mutating func pop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            let left = parent * 2 + 1
            guard left < heap.count else { return }
            let right = left + 1
            let least = right < heap.count && heap[right].time < heap[left].time ? right : left
            guard heap[least].time < heap[parent].time else { return }
            heap.swapAt(least, parent)
            parent = least
        }
    }
}

/// Milliseconds of the monotonic clock, which is what a thread can wait by; the host's clock is for what is stored.
func monotonicMilliseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
}
