// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Glibc
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// Its process ends while calls are under way.
    static let crash = LibraryCheck(
        "crash", "isolated: when its process is killed, each call under way ends once, and the next process serves",
        quick: false, limit: 240
    ) { run in
        guard run.subject.manifest.modes.contains("isolated") else { throw Skip("its manifest does not list isolated") }
        let deployed = try Deployed(run.subject)
        run.progress("the start of two instances")
        try deployed.start([("victim", .isolated), ("bystander", .isolated)])
        defer { deployed.stop() }
        run.progress("calls whose answers are of one kind")
        let steady = deployed.steady("victim")
        guard !steady.isEmpty else { throw Skip("no unary operation answers the same way three times") }
        var ended = 0
        // Both are warm by now: what a crash leaves behind is left by each.
        try crash(deployed, steady, "SIGKILL", SIGKILL, &run, &ended)
        let before = (ProcessSnapshot.threadCount, ProcessSnapshot.openDescriptors().count)
        for (name, signal) in [("SIGSEGV", SIGSEGV), ("SIGKILL", SIGKILL), ("SIGABRT", SIGABRT)] {
            guard run.findings.isEmpty else { return }
            try crash(deployed, steady, name, signal, &run, &ended)
        }
        let isQuiet = Monitor(0).settled(milliseconds: settling) {
            ProcessSnapshot.threadCount <= before.0 && ProcessSnapshot.openDescriptors().count <= before.1
        }
        let more = CrashJudgement.leavings(
            threads: ProcessSnapshot.threadCount - before.0,
            descriptors: ProcessSnapshot.openDescriptors().count - before.1)
        if !isQuiet, let more { run.fail(more) }
        run.note("crashes", 4)
        run.note("calls_ended", ended)
    }

    /// Sends calls to a process that was stopped, ends it, and looks at what each of them was told.
    private static func crash(
        _ deployed: Deployed, _ steady: [Deployed.Steady], _ name: String, _ signal: Int32, _ run: inout CheckRun,
        _ ended: inout Int
    ) throws {
        run.progress("\(name) with calls under way")
        let status = deployed.status("victim")
        guard let process = status?.facts["process"].flatMap({ pid_t($0) }), let generation = status?.generation else {
            throw Finding("validator.no_respawn", "The instance has no process: \(status?.reason ?? "no reason").")
        }
        kill(process, SIGSTOP)
        let room = max(1, min(32, run.subject.manifest.maxConcurrency))
        let calls = (0..<room).map { number -> (Deployed.Steady, AnswerSink) in
            let call = steady[number % steady.count]
            return (call, deployed.send("victim", call.operation.name, call.request, id: "crash_\(number)"))
        }
        // Stopped, it has answered none of them.
        kill(process, signal)
        kill(process, SIGCONT)
        for (call, sink) in calls {
            let answer = sink.wait(milliseconds: 30_000)
            let judgement = CrashJudgement(
                operation: call.operation.name, kind: call.kind, signal: name,
                isSideEffect: call.operation.description.sideEffect)
            for finding in judgement.findings(answer, times: sink.count) { run.fail(finding) }
            ended += answer == nil ? 0 : 1
        }
        if let call = steady.first {
            let other = deployed.call("bystander", call.operation.name, call.request, seconds: 30)
            if other.kind != call.kind {
                run.fail(
                    "validator.crash_spreads",
                    "Another instance answered \(other.kind) instead of \(call.kind) after \(name).")
            }
        }
        try expectRespawn(deployed, steady, after: generation, name, &run)
    }

    private static func expectRespawn(
        _ deployed: Deployed, _ steady: [Deployed.Steady], after generation: UInt32, _ name: String,
        _ run: inout CheckRun
    ) throws {
        run.progress("the next process after \(name)")
        let isBack = Monitor(0).settled(milliseconds: 60_000) {
            let status = deployed.status("victim")
            guard let status else { return false }
            if status.state == .ready { return status.generation > generation }
            // Between two processes it stands as crashed; any other reason is the end.
            return status.reason.map { !$0.contains("instance.crashed") } ?? false
        }
        let status = deployed.status("victim")
        guard isBack, let status, status.state == .ready else {
            throw Finding(
                "validator.no_respawn", "No next process served after \(name): \(status?.reason ?? "it never came").")
        }
        for call in steady {
            let answer = deployed.call("victim", call.operation.name, call.request, seconds: 30)
            guard answer.kind != call.kind else { continue }
            run.fail(
                "validator.respawn_differs",
                "\(call.operation.name) gave \(call.kind) before its process was ended, and \(answer.kind) after.")
        }
    }
}

/// What a call that was under way may be told when its process ends.
struct CrashJudgement {
    let operation: String
    /// How it is answered where nothing ends.
    let kind: String
    let signal: String
    let isSideEffect: Bool

    /// - Parameters:
    ///   - answer: its first completion; nil where none came.
    ///   - times: how often it was completed.
    func findings(_ answer: CallAnswer?, times: Int) -> [Finding] {
        guard let answer else {
            return [Finding("validator.crash_lost_call", "\(operation) never ended after \(signal).")]
        }
        var found: [Finding] = []
        // Some may have been answered in the instant before the signal was taken.
        if answer.kind != kind, !isTold(answer) {
            found.append(
                Finding(
                    "validator.crash_untold",
                    "\(operation) ended with \(answer.kind) after \(signal), not with instance.crashed and its effect.")
            )
        }
        if times != 1 {
            found.append(
                Finding("validator.crash_twice", "\(operation) was completed \(times) times after \(signal)."))
        }
        return found
    }

    private func isTold(_ answer: CallAnswer) -> Bool {
        answer.error?.code == .unavailable && answer.error?.reason == "instance.crashed"
            && answer.error?.effect == (isSideEffect ? .unknown : CallError.Effect.none)
            && answer.error?.retry == (isSideEffect ? .never : .safe)
    }

    /// Of a host that has more than before, by as many; nil where it has not.
    static func leavings(threads: Int, descriptors: Int) -> Finding? {
        guard threads > 0 || descriptors > 0 else { return nil }
        return Finding(
            "validator.crash_leaves",
            "After three crashes the host has \(threads) threads and \(descriptors) descriptors more.")
    }
}
