// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// Deadlines that pass.
    static let deadline = LibraryCheck(
        "deadline", "a call whose deadline passes still ends, also one that had passed before it came", quick: false,
        limit: 120
    ) { run in
        let library = try run.library()
        let trial = try run.ready(library, CheckRun.World(upstream: Upstreams.hanging))
        var slowest = 0
        for operation in run.subject.operations {
            for timeout: UInt64 in [1, 30_000_000] {
                run.progress("a call of \(operation.name) with \(timeout) ns left")
                let request = trial.request(operation, "deadline")
                let (id, code) = try trial.invoke(operation.index, request, Trial.Options(timeout: timeout))
                guard code == THEATRE_OK else { continue }
                guard trial.outcome(id, milliseconds: Int(timeout / 1_000_000) + 5) == .silent else { continue }
                let began = ChildProcess.milliseconds
                trial.giveUp(id, THEATRE_CANCEL_DEADLINE)
                if trial.outcome(id, milliseconds: 15_000) == .silent {
                    run.fail(
                        "validator.ignores_deadline", "A call of \(operation.name) went on 15 s after its deadline.")
                    break
                }
                slowest = max(slowest, ChildProcess.milliseconds - began)
            }
        }
        trial.end()
        run.take(trial)
        run.note("slowest_ms", slowest)
    }
}
