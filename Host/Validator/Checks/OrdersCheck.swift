// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// Legal orders of life, at random.
    static let orders = LibraryCheck(
        "orders", "every legal order of the life cycle works, and no thread stays behind", quick: false, limit: 120
    ) { run in
        let library = try run.library()
        try run.ready(library).end()
        var numbers = run.subject.numbers("orders")
        let threads = ProcessSnapshot.threadCount
        for life in 0..<40 {
            try live(life, library, &numbers, &run)
            guard run.findings.isEmpty else { return }
        }
        if !Monitor(0).settled(milliseconds: settling, { ProcessSnapshot.threadCount <= threads }) {
            run.fail(
                "validator.thread_left",
                "\(ProcessSnapshot.threadCount - threads) threads more than before ran after 40 lives.")
        }
    }

    private static func live(
        _ life: Int, _ library: LibraryHome, _ numbers: inout SeededNumbers, _ run: inout CheckRun
    ) throws {
        let upstream = [Upstreams.empty, Upstreams.inline, Upstreams.unrouted, Upstreams.lost].randomElement(
            using: &numbers)
        let trial = Trial(run.subject, library, name: "life-\(life)", upstream: upstream ?? Upstreams.empty)
        run.progress("life \(life): create")
        guard try trial.create(generation: UInt32(life + 1)) == THEATRE_OK else { return run.take(trial) }
        let isActivated = numbers.chance(80)
        if isActivated {
            run.progress("life \(life): activate")
            if trial.activate() == THEATRE_OK {
                for step in 0..<Int.random(in: 0...6, using: &numbers) {
                    run.progress("life \(life): step \(step)")
                    if numbers.chance(25) { _ = trial.selfTest() }
                    guard let operation = run.subject.operations.randomElement(using: &numbers) else { continue }
                    let outcome = try trial.call(operation.index, trial.request(operation, "\(life) \(step)"))
                    if outcome == .silent { throw Finding.neverCompleted(operation.name) }
                }
            }
            run.progress("life \(life): deactivate")
            trial.deactivate()
        }
        run.progress("life \(life): destroy")
        trial.destroy()
        run.take(trial)
    }
}
