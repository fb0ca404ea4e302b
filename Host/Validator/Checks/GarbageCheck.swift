// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// What is not in the manifest, and bytes that are no message.
    static let garbage = LibraryCheck(
        "garbage", "unknown operations and malformed requests are refused cleanly, once", quick: true, limit: 120
    ) { run in
        let library = try run.library()
        let trial = try run.ready(library)
        for index in [run.subject.manifest.operations.count, 10_000, Int(UInt32.max)] {
            run.progress("operation \(index), which there is not")
            switch try trial.call(index, []) {
            case .silent: run.fail("validator.never_completes", "A call of operation \(index) was never completed.")
            case .completed(let completion) where completion.code == THEATRE_OK:
                run.fail("validator.serves_unknown", "Operation \(index), which is not in the manifest, succeeded.")
            default: break
            }
        }
        var numbers = run.subject.numbers("garbage")
        var count = 0
        for operation in run.subject.operations {
            var payloads = Malformed.payloads(from: trial.request(operation), &numbers)
            var generator = MessageGenerator(run.subject.catalog, run.subject.numbers(operation.name), style: .odd)
            for _ in 0..<(run.subject.isQuick ? 3 : 20) {
                payloads.append(generator.message(operation.description.input))
            }
            for payload in payloads {
                try send(payload, operation, trial, &run)
                count += 1
                if run.findings.count > 5 { return run.take(trial) }
            }
        }
        trial.end()
        run.linger(trial, milliseconds: 20)
        run.take(trial)
        run.note("payloads", count)
    }

    private static func send(
        _ payload: [UInt8], _ operation: Subject.Operation, _ trial: Trial, _ run: inout CheckRun
    ) throws {
        let shown = payload.prefix(48).map { String($0, radix: 16) }.joined(separator: " ")
        run.progress("\(operation.name) with \(shown)")
        switch try trial.call(operation.index, payload) {
        case .silent:
            run.fail("validator.never_completes", "\(operation.name) never completed a request of the bytes \(shown).")
        case .completed(let completion) where completion.code == THEATRE_OK && WireCheck.isBroken(payload):
            run.fail(
                "validator.accepts_malformed", "\(operation.name) succeeded with bytes that are no message: \(shown).")
        default: break
        }
    }
}
