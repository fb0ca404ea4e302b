// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The threads of one instance: at most `limit`, started when there is work and none is idle.
///
/// A plugin that blocks holds up itself, not the host's shared pool. Unchecked: the queue and the counts are touched
/// with the gate locked.
package final class PluginExecutor: TaskExecutor, @unchecked Sendable {
    private let name: String
    private let limit: Int
    private let gate = Gate()
    private var jobs: [UnownedJob] = []
    private var head = 0
    private var threads = 0
    private var idle = 0
    private var waking = 0
    private var isClosed = false
    /// A thread that ran dry looks again a few times before it sleeps; one at a time.
    private var isLooking = false
    private static let looks = 16

    package init(name: String, limit: Int) {
        self.name = name
        self.limit = limit
        jobs.reserveCapacity(256)
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if StartHere.isNext() { return job.runSynchronously(on: asUnownedTaskExecutor()) }
        gate.lock()
        jobs.append(job)
        var starts = false
        // The thread that looks takes one job; only what is beyond that needs another.
        let backlog = jobs.count - head - (isLooking ? 1 : 0)
        let wakes = idle > waking && backlog > waking
        if wakes {
            waking += 1
        } else if threads < limit, backlog > waking {
            threads += 1
            starts = true
        }
        gate.unlock()
        // Unlocked first: a thread that is woken to a locked gate sleeps again at once.
        if wakes { gate.signal() }
        if starts { startThread() }
    }

    /// Threads end when nothing is queued. What comes later is still run.
    package func close() {
        gate.lock()
        isClosed = true
        for _ in 0..<idle { gate.signal() }
        gate.unlock()
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

    /// No thread to be had. With others running the job waits for them; without any, this thread runs it.
    private func threadFailed() {
        gate.lock()
        threads -= 1
        let alone = threads == 0
        let job = alone ? pop() : nil
        gate.unlock()
        job?.runSynchronously(on: asUnownedTaskExecutor())
    }

    private func run() {
        nameThread()
        let me = asUnownedTaskExecutor()
        while let job = take() { job.runSynchronously(on: me) }
    }

    /// As `top -H` shows it. The name is a comfort: where the file cannot be opened, the thread keeps the process's.
    private func nameThread() {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        let name = Array(name.utf8.prefix(15))
        _ = write(file, name, name.count)
        Glibc.close(file)
    }

    /// The next job, or nil where the thread shall end.
    private func take() -> UnownedJob? {
        gate.lock()
        defer { gate.unlock() }
        while true {
            if let job = pop() ?? look() { return job }
            if isClosed {
                threads -= 1
                return nil
            }
            idle += 1
            gate.wait()
            idle -= 1
            if waking > 0 { waking -= 1 }
        }
    }

    /// Gives way to whoever is about to enqueue: under load that spares a sleep and a wake-up a call. With the gate
    /// locked, which is open in between.
    private func look() -> UnownedJob? {
        guard !isLooking, !isClosed else { return nil }
        isLooking = true
        defer { isLooking = false }
        for _ in 0..<Self.looks {
            gate.unlock()
            sched_yield()
            gate.lock()
            if let job = pop() { return job }
        }
        return nil
    }

    /// With the gate locked.
    private func pop() -> UnownedJob? {
        guard head < jobs.count else { return nil }
        let job = jobs[head]
        head += 1
        if head == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 1024, head * 2 >= jobs.count {
            jobs.removeFirst(head)
            head = 0
        }
        return job
    }
}
