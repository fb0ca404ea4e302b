// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import FoundationEssentials
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// Generations follow each other while calls are made.
    static let swaps = LibraryCheck(
        "swaps", "50 swaps under load: no call fails or sees two generations, and nothing is left behind", quick: false,
        limit: 600
    ) { run in
        let mode = run.subject.isIsolatedOnly ? InstanceMode.isolated : .inproc
        let deployed = try Deployed(run.subject)
        run.progress("the start of an instance")
        try deployed.start([("swapped", mode)])
        defer { deployed.stop() }
        let steady = deployed.steady("swapped")
        guard !steady.isEmpty else { throw Skip("no unary operation answers the same way three times") }
        run.progress("three builds, and the first swaps")
        let builds = try builds(3, run.subject)
        for build in builds { try swap(deployed, build, mode) }
        let before = (ProcessSnapshot.threadCount, ProcessSnapshot.openDescriptors().count)
        let load = Load(deployed, steady, width: max(1, min(8, run.subject.manifest.maxConcurrency / 2)))
        load.start()
        var ports = deployed.fleet.port("swapped").map { [$0] } ?? []
        for number in 0..<50 {
            // What is lost is seen once its deadline is over; the rest would be lost as well.
            guard load.wrong.isEmpty, load.overdue == 0 || lost(ports, milliseconds: 10_000) == 0 else { break }
            run.progress("swap \(number)")
            let began = load.answered
            // Each build twice in a row: instances of one image share its globals, those of two do not.
            try swap(deployed, builds[number / 2 % builds.count], mode)
            if let port = deployed.fleet.port("swapped") { ports.append(port) }
            // Each generation is called before the next comes.
            _ = Monitor(0).settled(milliseconds: 20_000) { load.answered >= began + 4 || !load.wrong.isEmpty }
        }
        run.progress("the end of the load")
        let left = load.stop(milliseconds: 25_000) + lost(ports, milliseconds: 30_000)
        judge(load, left, ports, deployed, &run)
        guard run.findings.isEmpty else { return }
        run.progress("what the old generations leave")
        let isQuiet = Monitor(0).settled(milliseconds: 30_000) {
            ProcessSnapshot.threadCount <= before.0 + allowed
                && ProcessSnapshot.openDescriptors().count <= before.1 + allowed
        }
        if !isQuiet {
            run.fail(
                "validator.swap_leaves",
                "50 swaps left \(ProcessSnapshot.threadCount - before.0) threads and \(ProcessSnapshot.openDescriptors().count - before.1) descriptors."
            )
        }
        if mode == .inproc { try boundBuilds(deployed, &run) }
        run.note("calls", load.answered)
        run.note("overdue", load.overdue)
        run.note("operations", Array(Set(steady.map(\.operation.name))).sorted())
    }

    /// Threads or descriptors: a pool may stand at another size than before, but fifty generations would leave fifty.
    private static let allowed = 8

    /// What an old generation has for its calls: longer than any of them has.
    private static let drainSeconds = 20

    /// Copies of the library that differ in a byte at their end: other builds, to the loader and to the host.
    private static func builds(_ count: Int, _ subject: Subject) throws -> [PluginFile] {
        try (0..<count).map { number in
            let folder = try subject.folder(of: "build-\(number)")
            let path = "\(folder)/lib\(subject.manifest.name).so"
            let copy = try subject.file.image.bytes() + [UInt8](repeating: 0, count: number + 1)
            try Data(copy).write(to: URL(filePath: path))
            return try PluginFile(name: subject.manifest.name, path: path)
        }
    }

    private static func swap(_ deployed: Deployed, _ build: PluginFile, _ mode: InstanceMode) throws {
        var plan = try deployed.plan("swapped", mode)
        plan.file = build
        do throws(LoadError) {
            try deployed.fleet.replace(plan, drainSeconds: drainSeconds)
        } catch {
            throw Finding("validator.swap_failed", "A new generation did not come up: \(error)")
        }
    }

    /// Calls whose deadline passed and that are not completed until now: a slow machine's come late, lost ones never.
    private static func lost(_ ports: [InstancePort], milliseconds: Int) -> Int {
        func count() -> Int { ports.reduce(0) { $0 + $1.snapshot().orphans } }
        _ = Monitor(0).settled(milliseconds: milliseconds) { count() == 0 }
        return count()
    }

    private static func judge(
        _ load: Load, _ left: Int, _ ports: [InstancePort], _ deployed: Deployed, _ run: inout CheckRun
    ) {
        for (what, count) in load.wrong.sorted(by: { $0.key < $1.key }) {
            run.fail("validator.swap_lost_call", "\(count) calls under 50 swaps: \(what).")
        }
        if left > 0 { run.fail("validator.swap_lost_call", "\(left) calls under 50 swaps were never completed.") }
        let foreign = ports.map { $0.snapshot() }.reduce(0) { $0 + $1.foreign + $1.double }
        if foreign > 0 || deployed.world.mixed > 0 {
            run.fail(
                "validator.two_generations",
                "\(foreign) calls were completed by another generation than the one they were given to, \(deployed.world.mixed) asked the host as two."
            )
        }
    }

    /// Builds stay mapped, so there may be no more of them than the host allows: the next is refused, and nothing changes.
    private static func boundBuilds(_ deployed: Deployed, _ run: inout CheckRun) throws {
        let name = run.subject.manifest.name
        let builds = try builds(6, run.subject)
        var refused = 0
        for build in builds {
            var plan = try deployed.plan("swapped", .inproc)
            plan.file = build
            do throws(LoadError) { try deployed.fleet.replace(plan, drainSeconds: drainSeconds) } catch {
                if error.code == "plugin.too_many_images" { refused += 1 }
            }
        }
        let mapped = deployed.housing.images(of: name)
        run.note("builds_mapped", mapped)
        if mapped > 4 || refused == 0 {
            run.fail("validator.swap_leaves", "\(mapped) builds are mapped where 4 are allowed.")
        }
    }
}

/// Calls that follow each other, some at a time, until it is stopped.
private final class Load: Sendable {
    private struct State {
        var isStopped = false
        var next = 0
        var underWay = 0
        var answered = 0
        var overdue = 0
        var wrong: [String: Int] = [:]
    }

    private let state = Monitor(State())
    private let deployed: Deployed
    private let steady: [Deployed.Steady]
    private let threads: [SerialThread]

    init(_ deployed: Deployed, _ steady: [Deployed.Steady], width: Int) {
        (self.deployed, self.steady) = (deployed, steady)
        threads = (0..<width).map { _ in SerialThread() }
    }

    var answered: Int { state.withLock { $0.answered } }
    /// Calls whose deadline passed before their answer came.
    var overdue: Int { state.withLock { $0.overdue } }
    var wrong: [String: Int] { state.withLock { $0.wrong } }

    /// One thread for each call that is under way at a time.
    func start() {
        for thread in threads { thread.enqueue { [self] in work() } }
    }

    /// Lets what is under way end; how many did not.
    func stop(milliseconds: Int) -> Int {
        state.withLock { $0.isStopped = true }
        defer { for thread in threads { thread.end() } }
        return state.wait(milliseconds: milliseconds) { $0.underWay == 0 ? 0 : nil } ?? state.withLock { $0.underWay }
    }

    private func work() {
        while let number = take() {
            let call = steady[number % steady.count]
            let sink = deployed.send("swapped", call.operation.name, call.request, id: "swap_\(number)", seconds: 2)
            let answer = sink.wait(milliseconds: 20_000)
            state.withLock { state in
                state.underWay -= 1
                state.answered += 1
                let kind = answer?.kind ?? "nothing"
                guard kind != call.kind || sink.count != 1 else { return }
                if answer?.error?.reason == "call.deadline", sink.count == 1 {
                    state.overdue += 1
                    return
                }
                let what = "\(call.operation.name) gave \(kind) instead of \(call.kind)"
                if state.wrong.count < 5 || state.wrong[what] != nil { state.wrong[what, default: 0] += 1 }
            }
        }
    }

    private func take() -> Int? {
        state.withLock { state in
            guard !state.isStopped else { return nil }
            state.next += 1
            state.underWay += 1
            return state.next
        }
    }
}
