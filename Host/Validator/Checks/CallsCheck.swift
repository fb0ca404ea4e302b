// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// Sound requests are answered, once and in their own type.
    static let calls = LibraryCheck(
        "calls", "every operation answers sound requests once, with messages of its contract", quick: true, limit: 120
    ) { run in
        let library = try run.library()
        let rounds = run.subject.isQuick ? 1 : 5
        var seen: [String: Int] = [:]
        for (world, upstream) in [
            ("empty", Upstreams.empty), ("inline", Upstreams.inline), ("generated", Upstreams.generated(run.subject)),
            ("unrouted", Upstreams.unrouted),
        ] {
            let trial = try run.ready(library, CheckRun.World(name: "calls-\(world)", upstream: upstream))
            for round in 0..<rounds {
                for operation in run.subject.operations {
                    run.progress("a call of \(operation.name)")
                    let outcome = try trial.call(operation.index, trial.request(operation, "\(world) \(round)"))
                    seen[word(outcome), default: 0] += 1
                    if outcome == .silent { throw Finding.neverCompleted(operation.name) }
                }
            }
            trial.end()
            run.linger(trial, milliseconds: 20)
            run.take(trial)
        }
        for (word, count) in seen { run.note(word, count) }
    }

    private static func word(_ outcome: Trial.Outcome) -> String {
        switch outcome {
        case .rejected(let code): "rejected.\(code)"
        case .completed(let completion): completion.code == THEATRE_OK ? "ok" : completion.reason
        case .silent: "silent"
        }
    }
}
