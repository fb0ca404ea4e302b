// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// One whole life.
    static let life = LibraryCheck(
        "life", "an instance is created, activated, tested, stopped and destroyed, and leaves no thread", quick: true,
        limit: 40, needsLife: false
    ) { run in
        let library = try run.library()
        let threads = ProcessSnapshot.threadIDs
        // The thread that starts processes stays.
        let allowed = run.subject.isIsolatedOnly ? 1 : 0
        let first = Trial(run.subject, library)
        run.progress("create")
        guard try first.create() == THEATRE_OK else {
            run.take(first)
            return run.fail(
                "validator.create_refused",
                "create refuses the configuration that its own schema allows: \(first.error.reason): \(first.error.message)"
                    + " Give another with --config.")
        }
        run.progress("destroy after create")
        first.destroy()
        run.take(first)
        run.progress("activate")
        let trial = try run.ready(library)
        run.progress("self_test")
        if trial.selfTest() != THEATRE_OK { run.note("self_test", "\(trial.error.reason): \(trial.error.message)") }
        run.progress("deactivate")
        trial.deactivate()
        // Work of its own that goes on shows itself while it has nothing to do.
        run.linger(trial, milliseconds: 300)
        run.progress("destroy")
        trial.destroy()
        run.linger(trial)
        // A thread that outlives its instance is waited for before it is asked what was done meanwhile.
        let after = Monitor(0).settled(milliseconds: settling) {
            ProcessSnapshot.threadIDs.subtracting(threads).count <= allowed
        }
        run.take(first)
        run.take(trial)
        if !after {
            run.fail(
                "validator.thread_left",
                "\(ProcessSnapshot.threadIDs.subtracting(threads).count - allowed) threads more than before ran \(settling / 1000) s after destroy."
            )
        }
    }

    /// Milliseconds that threads have to end in: only what never ends takes as long.
    static let settling = 10_000
}

extension Monitor {
    /// Asks every 10 ms until it is so; false where it is not in time.
    func settled(milliseconds: Int, _ isSo: () -> Bool) -> Bool {
        for _ in 0..<max(1, milliseconds / 10) {
            if isSo() { return true }
            _ = wait(milliseconds: 10) { _ -> Bool? in nil }
        }
        return isSo()
    }
}
