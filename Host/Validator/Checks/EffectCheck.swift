// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// What an error says of the world, against what the world saw.
    static let effect = LibraryCheck(
        "effect", "an error's effect is true: never NONE where something asked for may have been done", quick: false,
        limit: 120
    ) { run in
        let library = try run.library()
        let acting = run.subject.operations.filter { $0.description.sideEffect }
        guard !acting.isEmpty else { throw Skip("no operation has a side effect by its contract") }
        let trial = try run.ready(library, CheckRun.World(upstream: Upstreams.lost))
        var counts = (failed: 0, reached: 0)
        for operation in acting {
            for round in 0..<12 {
                run.progress("a lost call of \(operation.name)")
                let (id, code) = try trial.invoke(operation.index, trial.request(operation, "effect \(round)"))
                guard code == THEATRE_OK, case .completed(let completion) = trial.outcome(id) else { continue }
                guard completion.code != THEATRE_OK else { continue }
                counts.failed += 1
                // The recording host is the ledger: what it took on this call's behalf and never said a word about.
                let lost = trial.host.monitor.withLock { state in
                    state.made.values.first { $0.onBehalfOf == id && $0.hasSideEffect }
                }
                guard let lost else { continue }
                counts.reached += 1
                guard completion.effect == THEATRE_EFFECT_NONE else { continue }
                run.fail(
                    "validator.effect_untrue",
                    "\(operation.name) failed with \(completion.reason) and effect NONE although \(lost.name) may have been done."
                )
            }
        }
        trial.end()
        run.take(trial)
        run.note("failed", counts.failed)
        run.note("with_something_done", counts.reached)
    }
}
