// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// A host of an earlier revision, and one without some service.
    static let older = LibraryCheck(
        "older",
        "an older host is enough: nothing is read beyond a struct's size, no host service is taken for granted",
        quick: true, limit: 120,
        leftOutIsolated: "the runner is the host it sees, and comes with the host"
    ) { run in
        let library = try run.library()
        for revision in StructSizes.history where revision.revision >= run.subject.manifest.abi.minHostRevision {
            let trial = try run.ready(library, CheckRun.World(shape: .exact))
            try exercise(trial, "a host of revision \(revision.revision)", &run)
        }
        let services = Set(run.subject.manifest.calls.map(Manifest.owner).filter { $0.hasPrefix("theatre.host.v1.") })
        for service in services.sorted() {
            run.progress("a host without \(service)")
            let trial = Trial(run.subject, library, name: "without") { call in
                Manifest.owner(of: call.name) == service
                    ? .refuse(THEATRE_UNIMPLEMENTED, "call.no_service") : .reply([])
            }
            guard try trial.create() == THEATRE_OK else {
                run.take(trial)
                continue
            }
            // That it says so and stays closed is right too.
            if trial.activate() == THEATRE_OK {
                try exercise(trial, "a host without \(service)", &run)
            } else {
                trial.end()
                run.take(trial)
            }
        }
        run.note("services", services.sorted())
        run.note("revisions", StructSizes.history.count)
    }

    private static func exercise(_ trial: Trial, _ host: String, _ run: inout CheckRun) throws {
        for operation in run.subject.operations {
            run.progress("a call of \(operation.name) by \(host)")
            let outcome = try trial.call(operation.index, trial.request(operation, "older"))
            if outcome == .silent { throw Finding.neverCompleted(operation.name) }
        }
        trial.end()
        run.take(trial)
    }
}

/// How long the structs of each revision are: what the header's layout test pins.
struct StructSizes: Sendable {
    let revision: Int64
    let host: Int
    let request: Int
    let result: Int
    let chunk: Int
    let create: Int
    let error: Int

    /// Every revision so far. A revision appends a row; none is ever changed.
    static let history = [
        StructSizes(revision: 0, host: 80, request: 104, result: 32, chunk: 32, create: 72, error: 72)
    ]
}
