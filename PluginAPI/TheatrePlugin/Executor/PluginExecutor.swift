// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Glibc
internal import Synchronization

/// The threads of one instance: at most `limit`, started when there is work; ``ThreadDemand`` says how many of them work.
///
/// A plugin that blocks holds up itself, not the host's shared pool. What comes is queued behind the gate; a thread that
/// has nothing left takes all of it over at once, so that who brings and who works seldom meet.
///
/// Unchecked: what is in `inlet` is touched with the gate locked, but for `isQueued`. Who locks `ready` may lock the
/// gate, not the other way round.
package final class PluginExecutor: TaskExecutor, @unchecked Sendable {
    private struct Inlet: ~Copyable {
        var queued: [Work] = []
        /// Something is queued; for who looks without the gate.
        let isQueued = Atomic<Bool>(false)
        var demand: ThreadDemand
        var isClosed = false
        /// A thread that ran dry looks again a few times before it sleeps; one at a time.
        var isLooking = false
        var looks = Looks()

        init(limit: Int) {
            demand = ThreadDemand(limit: limit)
            queued.reserveCapacity(256)
        }
    }

    private let name: String
    private let gate = Gate()
    private let inlet: UnsafeMutablePointer<Inlet>
    private let ready = WorkQueue()
    /// The watch waits on a gate of its own, so that no call for work is lost on it.
    private let watching = Gate()
    /// Nanoseconds a job waits behind threads that work before another thread joins them; twice that at most.
    private static let watchNanoseconds = 200_000

    /// How often a thread that ran dry looks again: more where it paid lately, less where it did not.
    private struct Looks {
        private(set) var count = 16
        /// A look that took this long gave the processor to somebody who wanted it: looking on costs them more than a
        /// sleep and a wake-up cost us.
        static let longNanoseconds: UInt64 = 3000
        /// Looks that a long one counts for.
        static let long = 8

        mutating func paid() { count = min(count * 2, 256) }
        mutating func wasInVain() { count = max(count / 2, 8) }
    }

    package init(name: String, limit: Int) {
        self.name = name
        inlet = OwnLines.allocate(Inlet(limit: limit))
    }

    deinit { OwnLines.free(inlet) }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if StartHere.isNext() { return job.runSynchronously(on: asUnownedTaskExecutor()) }
        queue(.job(job))
    }

    /// Begins a call on a thread of its own.
    func enqueue(_ call: RecordPointer) { queue(.call(call)) }

    private func queue(_ work: Work) {
        gate.lock()
        inlet.pointee.queued.append(work)
        if !inlet.pointee.isQueued.load(ordering: .relaxed) { inlet.pointee.isQueued.store(true, ordering: .relaxed) }
        if inlet.pointee.demand.goesByBacklog { inlet.pointee.demand.took(ready.taken) }
        let action = inlet.pointee.demand.queue(isLookedFor: inlet.pointee.isLooking)
        gate.unlock()
        // Unlocked first: a thread that is woken to a locked gate sleeps again at once.
        perform(action)
    }

    /// The next call, where one is next and this thread is the executor's own.
    func nextCall() -> RecordPointer? {
        guard OwnThread.isOne(of: self) else { return nil }
        let work = next { work in
            if case .call = work { true } else { false }
        }
        guard case .call(let record) = work else { return nil }
        return record
    }

    /// Gives up a call that is queued; false where none of this id is.
    func cancel(_ id: theatre_id, of keeper: Unmanaged<InstanceKeeper>) -> Bool {
        ready.cancel(id, of: keeper) { isIn in
            gate.lock()
            defer { gate.unlock() }
            return isIn(inlet.pointee.queued)
        }
    }

    /// Threads end when nothing is queued. What comes later is still run.
    package func close() {
        gate.lock()
        inlet.pointee.isClosed = true
        gate.broadcast()
        gate.unlock()
    }

    private func perform(_ action: ThreadDemand.Action) {
        switch action {
        case .none: break
        case .wake: gate.signal()
        case .start: startThread()
        }
    }

    private func startThread() {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<PluginExecutor>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, box.toOpaque())
        if code == 0 {
            pthread_detach(thread)
        } else {
            box.release()
            threadFailed()
        }
    }

    /// No thread to be had. With others at work the job waits for them; without any, this thread runs it.
    private func threadFailed() {
        gate.lock()
        let isAlone = inlet.pointee.demand.startFailed()
        gate.unlock()
        if isAlone, let work = next() { perform(work, asUnownedTaskExecutor()) }
    }

    private func run() {
        nameThread()
        OwnThread.belongs(to: self)
        let me = asUnownedTaskExecutor()
        gate.lock()
        var role = inlet.pointee.demand.role(wasSleeping: false)
        while true {
            switch role {
            case .work:
                gate.unlock()
                work(me)
                if inlet.pointee.isClosed { return finish { $0.end() } }
                inlet.pointee.demand.sleep()
                role = .sleep
            case .watch:
                role = watch()
            case .sleep:
                inlet.pointee.demand.took(ready.taken)
                if inlet.pointee.isClosed, inlet.pointee.demand.backlog == 0 { return finish { $0.endSleeping() } }
                gate.wait()
                role = inlet.pointee.demand.role(wasSleeping: true)
            }
        }
    }

    /// The thread ends. With the gate locked.
    private func finish(_ end: (inout ThreadDemand) -> Void) {
        end(&inlet.pointee.demand)
        gate.broadcast()
        gate.unlock()
    }

    /// Works until there is nothing to do, and locks the gate then.
    private func work(_ me: UnownedTaskExecutor) {
        repeat {
            while let work = next() { perform(work, me) }
        } while look() || !lockIfEmpty()
    }

    private func perform(_ work: Work, _ me: UnownedTaskExecutor) {
        switch work {
        case .job(let job): job.runSynchronously(on: me)
        case .call(let record): PluginInstance.begin(record)
        }
    }

    @inline(__always)
    private func next(where isWanted: (Work) -> Bool = { _ in true }) -> Work? {
        ready.next(where: isWanted) { empty in
            gate.lock()
            swap(&inlet.pointee.queued, &empty)
            inlet.pointee.isQueued.store(false, ordering: .relaxed)
            gate.unlock()
        }
    }

    /// True, and the gate locked, where there is nothing to do.
    private func lockIfEmpty() -> Bool {
        ready.ifEmpty {
            gate.lock()
            if inlet.pointee.queued.isEmpty { return true }
            gate.unlock()
            return false
        }
    }

    /// Waits a little and says what follows. With the gate locked, which is open in between.
    private func watch() -> ThreadDemand.Role {
        let mark = inlet.pointee.demand.mark
        gate.unlock()
        watching.lock()
        watching.wait(nanoseconds: Self.watchNanoseconds)
        watching.unlock()
        gate.lock()
        inlet.pointee.demand.took(ready.taken)
        let (role, action) = inlet.pointee.demand.watched(since: mark)
        guard action != .none else { return role }
        gate.unlock()
        perform(action)
        gate.lock()
        return role
    }

    /// As `top -H` shows it. The name is a comfort: where the file cannot be opened, the thread keeps the process's.
    private func nameThread() {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        let name = Array(name.utf8.prefix(15))
        _ = write(file, name, name.count)
        Glibc.close(file)
    }

    /// Gives way to whoever is about to enqueue: under load that spares a sleep and a wake-up a call. True where
    /// something was queued.
    private func look() -> Bool {
        gate.lock()
        guard !inlet.pointee.isLooking, !inlet.pointee.isClosed else {
            gate.unlock()
            return false
        }
        inlet.pointee.isLooking = true
        var rest = inlet.pointee.looks.count
        gate.unlock()
        var before = Self.nanoseconds()
        while rest > 0, !inlet.pointee.isQueued.load(ordering: .relaxed) {
            sched_yield()
            let after = Self.nanoseconds()
            rest -= after - before > Looks.longNanoseconds ? Looks.long : 1
            before = after
        }
        gate.lock()
        defer { gate.unlock() }
        inlet.pointee.isLooking = false
        guard !inlet.pointee.queued.isEmpty else {
            inlet.pointee.looks.wasInVain()
            return false
        }
        inlet.pointee.looks.paid()
        return true
    }

    private static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
