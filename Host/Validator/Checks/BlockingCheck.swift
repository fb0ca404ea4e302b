// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// `invoke` comes back although nothing that the plugin asks for does.
    static let blocking = LibraryCheck(
        "blocking", "invoke returns at once although every upstream hangs, and an expired call still ends", quick: true,
        limit: 120
    ) { run in
        let library = try run.library()
        let trial = try run.ready(library, CheckRun.World(upstream: Upstreams.hanging))
        let thread = SerialThread()
        var open: [(id: theatre_id, name: String)] = []
        var slowest = 0
        for operation in run.subject.operations {
            run.progress("invoke of \(operation.name)")
            let request = trial.request(operation, "blocking")
            let taken = Monitor<(theatre_id, theatre_code)?>(nil)
            let box = Borrowed(trial)
            let began = ChildProcess.milliseconds
            thread.enqueue {
                let result = try? box.value.invoke(operation.index, request)
                taken.withLock { $0 = result ?? (0, THEATRE_INTERNAL) }
            }
            guard let result = taken.wait(milliseconds: bound, until: { $0 }) else {
                throw Finding(
                    "validator.invoke_blocks",
                    "invoke of \(operation.name) did not return within \(bound) ms while its upstreams hung.")
            }
            slowest = max(slowest, ChildProcess.milliseconds - began)
            if result.1 == THEATRE_OK { open.append((result.0, operation.name)) }
        }
        for call in open where trial.outcome(call.id, milliseconds: 20) == .silent {
            trial.giveUp(call.id, THEATRE_CANCEL_DEADLINE)
        }
        run.progress("the end of calls whose deadline has passed")
        run.expectEnd(trial, open, "validator.never_completes", within: 15_000)
        trial.end()
        run.take(trial)
        run.note("slowest_invoke_ms", slowest)
    }

    /// Milliseconds: far above what a handler's start takes on a busy machine, far below any wait for a network.
    private static let bound = 5000
}

/// Lends a trial to another thread while its owner waits.
///
/// Unchecked: the owner does not touch the value until the other thread is done with it.
struct Borrowed<Value>: @unchecked Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }
}
