// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// A host of a later revision.
    static let newer = LibraryCheck(
        "newer", "a newer host is understood: longer structs, unknown codes, flags and reasons", quick: true,
        limit: 120,
        leftOutIsolated: "the runner is the host it sees, and comes with the host"
    ) { run in
        let library = try run.library()
        let unknown: Upstream = { call in
            call.id % 2 == 0 ? .reply([]) : .fail(4242, reason: Upstreams.newReason, effect: 77, retry: 77)
        }
        let trial = try run.ready(library, CheckRun.World(shape: .longer, upstream: unknown))
        for operation in run.subject.operations {
            for round in 0..<(run.subject.isQuick ? 1 : 4) {
                run.progress("a call of \(operation.name) from a newer host")
                let request = trial.request(operation, "newer \(round)")
                let outcome = try trial.call(operation.index, request, Trial.Options(flags: 0xFFFF_0000))
                if outcome == .silent { throw Finding.neverCompleted(operation.name) }
            }
        }
        run.progress("replies, credit and cancels for calls that there are not")
        stray(trial, &run)
        run.progress("deactivate and destroy by a newer host")
        trial.end()
        run.take(trial)
    }

    /// Ids that belong to nothing: detected, never followed.
    private static func stray(_ trial: Trial, _ run: inout CheckRun) {
        guard let instance = trial.host.instance?.pointee else { return }
        var result = theatre_result()
        result.struct_size = UInt32(MemoryLayout<theatre_result>.size)
        for id: theatre_id in [0, 1, .max, 0xDEAD_BEEF_0000_0001] {
            _ = instance.reply?(instance.`self`, id, &result)
            instance.credit?(instance.`self`, id, 4096)
            instance.cancel?(instance.`self`, id, 77)
        }
    }
}
