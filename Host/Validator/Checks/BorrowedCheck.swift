// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// Arguments live until the function returns, and not a moment longer.
    static let borrowed = LibraryCheck(
        "borrowed", "nothing lent is read after the function it was lent to has returned", quick: true, limit: 120,
        leftOutIsolated: "what the runner lends lives in its own buffers"
    ) { run in
        let library = try run.library()
        for upstream in [Upstreams.empty, Upstreams.generated(run.subject)] {
            let trial = try run.ready(library, CheckRun.World(shape: .exact, revokes: true, upstream: upstream))
            for operation in run.subject.operations {
                for round in 0..<(run.subject.isQuick ? 1 : 5) {
                    run.progress("a call of \(operation.name) whose memory was taken away")
                    let outcome = try trial.call(operation.index, trial.request(operation, "borrowed \(round)"))
                    if outcome == .silent { throw Finding.neverCompleted(operation.name) }
                }
            }
            run.progress("destroy after borrowed memory was taken away")
            trial.end()
            run.take(trial)
        }
    }
}
