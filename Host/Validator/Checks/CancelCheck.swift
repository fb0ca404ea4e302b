// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// Cancellation, whenever it comes.
    static let cancel = LibraryCheck(
        "cancel", "a call may be cancelled in every phase, twice, and after its end, and is completed once",
        quick: false,
        limit: 120
    ) { run in
        let library = try run.library()
        let trial = try run.ready(library, CheckRun.World(upstream: Upstreams.hanging))
        for operation in run.subject.operations {
            for phase in Phase.allCases {
                run.progress("cancel of \(operation.name) \(phase)")
                let (id, code) = try trial.invoke(operation.index, trial.request(operation, "\(phase)"))
                guard code == THEATRE_OK else { continue }
                reach(phase, id, trial)
                trial.giveUp(id, THEATRE_CANCEL_CALLER)
                if phase == .twice { trial.giveUp(id, THEATRE_CANCEL_DEADLINE) }
                if trial.outcome(id, milliseconds: 15_000) == .silent {
                    run.fail(
                        "validator.ignores_cancel",
                        "A call of \(operation.name) cancelled \(phase) was not completed in 15 s.")
                    break
                }
                trial.giveUp(id, THEATRE_CANCEL_CALLER)
            }
        }
        run.linger(trial)
        trial.end()
        run.take(trial)
    }

    private enum Phase: CaseIterable {
        case atOnce, whileItWaits, whileItIsAnswered, twice
    }

    private static func reach(_ phase: Phase, _ id: theatre_id, _ trial: Trial) {
        guard phase == .whileItWaits || phase == .whileItIsAnswered else { return }
        let call = trial.host.monitor.wait(milliseconds: 50) { state in
            state.made.values.first { $0.onBehalfOf == id && !$0.isAnswered }
        }
        guard phase == .whileItIsAnswered, let call else { return }
        Responding(trial.host).fail(call.id, THEATRE_UNAVAILABLE, Upstreams.lostReason, THEATRE_EFFECT_UNKNOWN)
    }
}
