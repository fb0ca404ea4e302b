// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// Many calls at once, from many threads.
    static let once = LibraryCheck(
        "once", "10,000 calls from four threads, sound and odd, are each completed exactly once", quick: false,
        limit: 600
    ) { run in
        let library = try run.library()
        let trial = try run.ready(library)
        let fast = try measured(trial, &run)
        guard !fast.isEmpty else {
            throw Skip("no operation answers within \(bound) ms, so 10,000 calls take too long")
        }
        run.progress("10,000 calls")
        let perThread = total / threads
        let inFlight = max(1, min(16, run.subject.manifest.maxConcurrency / threads))
        let done = Monitor((threads: 0, silent: [String](), rejected: 0))
        let box = Borrowed((trial, fast))
        for thread in 0..<threads {
            let seed = run.subject.numbers("once \(thread)")
            SerialThread().enqueue {
                let (silent, rejected) = work(box.value.0, box.value.1, perThread, inFlight, seed)
                done.withLock { $0 = ($0.threads + 1, $0.silent + silent, $0.rejected + rejected) }
            }
        }
        let result = done.wait(milliseconds: 580_000) { $0.threads == threads ? ($0.silent, $0.rejected) : nil }
        guard let result else {
            throw Finding("validator.never_completes", "10,000 calls did not end within 580 s.")
        }
        for name in Set(result.0) { run.fail("validator.never_completes", "A call of \(name) was never completed.") }
        run.linger(trial, milliseconds: 300)
        trial.end()
        run.linger(trial)
        run.take(trial)
        run.note("calls", perThread * threads)
        run.note("rejected", result.1)
        run.note("operations", fast.map(\.0.name))
    }

    private static let total = 10_000
    private static let threads = 4
    /// Milliseconds that an operation may take to be called thousands of times.
    private static let bound = 8
    /// How often it is tried whether it does.
    private static let rounds = 5

    /// Operations that answer fast enough, each with a few requests.
    private static func measured(_ trial: Trial, _ run: inout CheckRun) throws -> [(Subject.Operation, [[UInt8]])] {
        try run.subject.operations.compactMap { operation in
            run.progress("a first call of \(operation.name)")
            var generator = MessageGenerator(run.subject.catalog, run.subject.numbers(operation.name), style: .odd)
            let requests =
                (0..<8).map { trial.request(operation, "once \($0)") }
                + (0..<4).map { _ in generator.message(operation.description.input) }
            // A busy machine is slow now and then; what waits for something is slow each time.
            for _ in 0..<rounds {
                let began = ChildProcess.milliseconds
                for request in requests where try trial.call(operation.index, request) == .silent {
                    run.fail("validator.never_completes", "A call of \(operation.name) was never completed.")
                    return nil
                }
                if ChildProcess.milliseconds - began <= bound * requests.count { return (operation, requests) }
            }
            return nil
        }
    }

    /// One thread's calls, a few in flight.
    private static func work(
        _ trial: Trial, _ operations: [(Subject.Operation, [[UInt8]])], _ count: Int, _ inFlight: Int,
        _ seed: SeededNumbers
    ) -> (silent: [String], rejected: Int) {
        var numbers = seed
        var open: [(theatre_id, String)] = []
        var result: (silent: [String], rejected: Int) = ([], 0)
        func reap(_ limit: Int) {
            while open.count > limit {
                let (id, name) = open.removeFirst()
                if trial.outcome(id, milliseconds: 30_000) == .silent { result.silent.append(name) }
            }
        }
        for _ in 0..<count where result.silent.isEmpty {
            guard let (operation, requests) = operations.randomElement(using: &numbers),
                let request = requests.randomElement(using: &numbers),
                let (id, code) = try? trial.invoke(operation.index, request)
            else { continue }
            if code == THEATRE_OK { open.append((id, operation.name)) } else { result.rejected += 1 }
            reap(inFlight)
        }
        reap(0)
        return result
    }
}
