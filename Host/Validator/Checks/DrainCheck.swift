// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// A stop while calls are served.
    static let drain = LibraryCheck(
        "drain", "deactivate under load returns, and what was being served ends before destroy", quick: false,
        limit: 120
    ) { run in
        let library = try run.library()
        for (world, upstream) in [("answered", Upstreams.empty), ("hanging", Upstreams.hanging)] {
            let trial = try run.ready(library, CheckRun.World(name: "drain-\(world)", upstream: upstream))
            var open: [(id: theatre_id, name: String)] = []
            for round in 0..<8 {
                for operation in run.subject.operations where open.count < run.subject.manifest.maxConcurrency {
                    let (id, code) = try trial.invoke(operation.index, trial.request(operation, "\(round)"))
                    if code == THEATRE_OK { open.append((id, operation.name)) }
                }
            }
            run.progress("deactivate with \(open.count) calls under way")
            let box = Borrowed(trial)
            let thread = SerialThread()
            guard thread.run(milliseconds: 30_000, { box.value.deactivate() }) else {
                throw Finding("validator.deactivate_hangs", "deactivate did not return within 30 s under load.")
            }
            thread.end()
            for call in open where trial.outcome(call.id, milliseconds: 10) == .silent {
                trial.giveUp(call.id, THEATRE_CANCEL_DRAIN)
            }
            run.progress("the end of calls that were being served")
            run.expectEnd(trial, open, "validator.never_drains", within: 15_000)
            guard run.findings.isEmpty else { return }
            run.progress("destroy after a drain")
            trial.destroy()
            run.linger(trial)
            run.take(trial)
            run.note("under_way.\(world)", open.count)
        }
    }
}
