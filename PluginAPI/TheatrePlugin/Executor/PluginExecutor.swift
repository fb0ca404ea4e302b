// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// The threads of one instance: at most `limit`, started when there is work; ``ThreadDemand`` says how many of them work.
///
/// A plugin that blocks holds up itself, not the host's shared pool. Unchecked: the queue and the counts are touched
/// with the gate locked.
package final class PluginExecutor: TaskExecutor, @unchecked Sendable {
    private let name: String
    private let gate = Gate()
    private var jobs: [UnownedJob] = []
    private var head = 0
    /// Something is queued; for who looks without the gate.
    private let isQueued = Atomic<Bool>(false)
    private var demand: ThreadDemand
    private var isClosed = false
    /// A thread that ran dry looks again a few times before it sleeps; one at a time.
    private var isLooking = false
    /// The watch waits on a gate of its own, so that no call for work is lost on it.
    private let watching = Gate()
    private var looks = Looks()
    /// Nanoseconds a job waits behind threads that work before another thread joins them; twice that at most.
    private static let watchNanoseconds = 200_000

    /// How often a thread that ran dry looks again: more where it paid lately, less where it did not.
    private struct Looks {
        private(set) var count = 16

        mutating func paid() { count = min(count * 2, 256) }
        mutating func wasInVain() { count = max(count / 2, 8) }
    }

    package init(name: String, limit: Int) {
        self.name = name
        demand = ThreadDemand(limit: limit)
        jobs.reserveCapacity(256)
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if StartHere.isNext() { return job.runSynchronously(on: asUnownedTaskExecutor()) }
        gate.lock()
        jobs.append(job)
        isQueued.store(true, ordering: .relaxed)
        let action = demand.queue(isLookedFor: isLooking)
        gate.unlock()
        // Unlocked first: a thread that is woken to a locked gate sleeps again at once.
        perform(action)
    }

    /// Threads end when nothing is queued. What comes later is still run.
    package func close() {
        gate.lock()
        isClosed = true
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
        let job = demand.startFailed() ? pop() : nil
        gate.unlock()
        job?.runSynchronously(on: asUnownedTaskExecutor())
    }

    private func run() {
        nameThread()
        let me = asUnownedTaskExecutor()
        gate.lock()
        var role = demand.role(wasSleeping: false)
        while true {
            switch role {
            case .work:
                work(me)
                if isClosed { return finish { $0.end() } }
                demand.sleep()
                role = .sleep
            case .watch:
                role = watch()
            case .sleep:
                if isClosed, demand.backlog == 0 { return finish { $0.endSleeping() } }
                gate.wait()
                role = demand.role(wasSleeping: true)
            }
        }
    }

    /// The thread ends. With the gate locked.
    private func finish(_ end: (inout ThreadDemand) -> Void) {
        end(&demand)
        gate.broadcast()
        gate.unlock()
    }

    /// Runs jobs until there are none. With the gate locked, which is open while one runs.
    private func work(_ me: UnownedTaskExecutor) {
        while let job = pop() ?? look() {
            gate.unlock()
            job.runSynchronously(on: me)
            gate.lock()
        }
    }

    /// Waits a little and says what follows. With the gate locked, which is open in between.
    private func watch() -> ThreadDemand.Role {
        let mark = demand.mark
        gate.unlock()
        watching.lock()
        watching.wait(nanoseconds: Self.watchNanoseconds)
        watching.unlock()
        gate.lock()
        let (role, action) = demand.watched(since: mark)
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

    /// Gives way to whoever is about to enqueue: under load that spares a sleep and a wake-up a call. With the gate
    /// locked, which is open in between.
    private func look() -> UnownedJob? {
        guard !isLooking, !isClosed else { return nil }
        isLooking = true
        defer { isLooking = false }
        gate.unlock()
        var rest = looks.count
        while rest > 0, !isQueued.load(ordering: .relaxed) {
            sched_yield()
            rest -= 1
        }
        gate.lock()
        guard let job = pop() else {
            looks.wasInVain()
            return nil
        }
        looks.paid()
        return job
    }

    /// With the gate locked.
    private func pop() -> UnownedJob? {
        guard head < jobs.count else { return nil }
        let job = jobs[head]
        head += 1
        demand.take()
        if head == jobs.count {
            isQueued.store(false, ordering: .relaxed)
            jobs.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 1024, head * 2 >= jobs.count {
            jobs.removeFirst(head)
            head = 0
        }
        return job
    }
}
