// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// What an answer says of the world, against what the world saw.
    static let effect = LibraryCheck(
        "effect", "what an answer says of the world, NONE, APPLIED or OK, is not contrary to what the world saw",
        quick: false, limit: 120
    ) { run in
        let library = try run.library()
        let acting = run.subject.operations.filter { $0.description.sideEffect }
        guard !acting.isEmpty else { throw Skip("no operation has a side effect by its contract") }
        let actsElsewhere = EffectLedger.actsElsewhere(run.subject.manifest)
        var counts = (failed: 0, reached: 0, refused: 0)
        for (world, upstream) in [
            ("lost", Upstreams.lost), ("unrouted", Upstreams.unrouted), ("denied", Upstreams.denied),
        ] {
            let trial = try run.ready(library, CheckRun.World(name: "effect-\(world)", upstream: upstream))
            for operation in acting {
                for round in 0..<12 {
                    run.progress("a call of \(operation.name) whose own calls are \(world)")
                    let (id, code) = try trial.invoke(operation.index, trial.request(operation, "effect \(round)"))
                    guard code == THEATRE_OK, case .completed(let completion) = trial.outcome(id) else { continue }
                    // The recording host is the ledger: what it was asked for on this call's behalf.
                    let ledger = trial.host.monitor.withLock { state in
                        EffectLedger(
                            asked: state.made.values.filter { $0.onBehalfOf == id },
                            refused: state.refused.filter { $0.onBehalfOf == id }, isLost: world == "lost",
                            actsElsewhere: actsElsewhere)
                    }
                    counts.failed += completion.code == THEATRE_OK ? 0 : 1
                    counts.reached += ledger.perhaps == nil ? 0 : 1
                    counts.refused += ledger.denied == nil ? 0 : 1
                    if let finding = ledger.judge(operation.name, completion) { run.fail(finding) }
                }
            }
            trial.end()
            run.take(trial)
        }
        run.note("failed", counts.failed)
        run.note("with_something_done", counts.reached)
        run.note("with_all_refused", counts.refused)
        if actsElsewhere {
            run.note("not_judged", "APPLIED and OK: it can act by a folder, files or connections of its own")
        }
    }
}

/// What was asked of the world on behalf of one call, and what its answer may say of it.
struct EffectLedger {
    /// Something that may have been done; nil where nothing was.
    let perhaps: MadeCall?
    /// Something that certainly was not done, where nothing may have been.
    let denied: MadeCall?
    /// The library can act without asking the host.
    let actsElsewhere: Bool

    /// - Parameters:
    ///   - asked: calls that were taken.
    ///   - refused: calls that were not.
    ///   - isLost: what was taken may have been done; else all of it failed with effect NONE.
    init(asked: [MadeCall], refused: [MadeCall], isLost: Bool, actsElsewhere: Bool) {
        // Of a call whose contract is not known, nobody can say that it changes nothing.
        perhaps = isLost ? asked.first { $0.hasSideEffect || $0.operation == nil } : nil
        denied = perhaps == nil ? (asked + refused).first(where: \.hasSideEffect) : nil
        self.actsElsewhere = actsElsewhere
    }

    /// A library without a folder, files and connections of its own does everything that lasts through the host.
    static func actsElsewhere(_ manifest: Manifest) -> Bool {
        manifest.grants.stateFolder || manifest.grants.files != "none" || !manifest.grants.connect.isEmpty
    }

    /// What is untrue in an answer to a call of an operation with a side effect.
    func judge(_ operation: String, _ completion: RecordingHost.Completion) -> Finding? {
        if completion.code != THEATRE_OK, completion.effect == THEATRE_EFFECT_NONE, let perhaps {
            return untrue(
                "\(operation) failed with \(completion.reason) and effect NONE although \(perhaps.name) may have been done."
            )
        }
        guard perhaps == nil, !actsElsewhere else { return nil }
        if completion.code != THEATRE_OK, completion.effect == THEATRE_EFFECT_APPLIED {
            let what = denied.map { "\($0.name) was refused" } ?? "it asked for nothing that changes the world"
            return untrue("\(operation) failed with \(completion.reason) and effect APPLIED although \(what).")
        }
        if completion.code == THEATRE_OK, let denied {
            return untrue("\(operation) succeeded although \(denied.name), which it asked for, was refused.")
        }
        return nil
    }

    private func untrue(_ message: String) -> Finding { Finding("validator.effect_untrue", message) }
}
