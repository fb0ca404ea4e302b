// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// Secrets that were handed in, looked for in everything that comes out.
    static let secrets = LibraryCheck(
        "secrets", "no secret it was given appears in a log, an error, an answer or an unbound request", quick: false,
        limit: 120
    ) { run in
        let library = try run.library()
        let canary = "CANARY\(String(run.subject.seed, radix: 36).uppercased())x7Qz9"
        let catalog = run.subject.catalog
        let leases: Upstream = { call in
            guard call.name == "theatre.host.v1.Secrets/Lease" else { return .reply([]) }
            return .reply(Self.lease(canary, catalog))
        }
        for upstream in [leases, Upstreams.lost, Upstreams.unrouted] {
            let trial = try run.ready(library, CheckRun.World(upstream: upstream))
            for operation in run.subject.operations {
                for round in 0..<4 {
                    run.progress("secrets in \(operation.name)")
                    let style: MessageGenerator.Style = round < 3 ? .sound : .odd
                    var generator = MessageGenerator(
                        catalog, run.subject.numbers("\(operation.name) \(round)"), style: style)
                    generator.secret = canary
                    let outcome = try trial.call(operation.index, generator.message(operation.description.input))
                    lookInAnswers(for: canary, operation, trial, &run)
                    guard case .completed(let completion) = outcome else { continue }
                    if [completion.reason, completion.message, completion.detail].contains(where: {
                        $0.contains(canary)
                    }) {
                        run.fail(
                            "validator.secret_in_error", "\(operation.name) put a secret of its request into its error."
                        )
                    }
                }
            }
            trial.end()
            look(for: canary, trial, &run)
            run.take(trial)
        }
    }

    /// Answers and chunks of everything served so far; fields that their contract marks secret may have it.
    private static func lookInAnswers(
        for canary: String, _ operation: Subject.Operation, _ trial: Trial, _ run: inout CheckRun
    ) {
        let reader = WireCheck(run.subject.catalog), bytes = Array(canary.utf8)
        let served = trial.host.monitor.withLock { $0.served.values.filter { $0.operation == operation.index } }
        for answer in served.flatMap({ $0.completions.map(\.payload) + $0.chunks }) {
            guard reader.open(answer, operation.description.output).contains(where: { contains($0, bytes) }) else {
                continue
            }
            return run.fail(
                "validator.secret_in_answer",
                "\(operation.name) answered with a secret of its request in a field that is not for one.")
        }
    }

    private static func look(for canary: String, _ trial: Trial, _ run: inout CheckRun) {
        let (logs, made) = trial.host.monitor.withLock { ($0.logs, $0.made.values.map(\.self)) }
        for line in logs where (line.message + line.fields).contains(canary) {
            run.fail(
                "validator.secret_in_log", "The log line \"\(line.message.replacing(canary, with: "…"))\" has a secret."
            )
        }
        let reader = WireCheck(run.subject.catalog)
        let bytes = Array(canary.utf8)
        for call in made {
            guard let operation = call.operation else { continue }
            // Fields that their contract marks secret are where it belongs.
            for value in reader.open(call.payload, operation.input) where contains(value, bytes) {
                run.fail(
                    "validator.secret_sent", "\(call.name) was called with a secret in a field that is not for one.")
            }
        }
    }

    private static func contains(_ value: [UInt8], _ part: [UInt8]) -> Bool {
        guard value.count >= part.count else { return false }
        return (0...(value.count - part.count)).contains { value[$0..<$0 + part.count].elementsEqual(part) }
    }

    /// A lease whose every text and bytes are the canary.
    private static func lease(_ canary: String, _ catalog: ContractCatalog) -> [UInt8] {
        guard let output = catalog.operation("theatre.host.v1.Secrets/Lease")?.output,
            let message = catalog.message(output)
        else { return [] }
        var writer = WireWriter(capacity: 64)
        for field in message.fields where field.type == .bytes || field.type == .string {
            writer.tag(UInt32(field.number), 2)
            writer.varint(UInt64(canary.utf8.count))
            Array(canary.utf8).withUnsafeBufferPointer { writer.append($0) }
        }
        return writer.bytes
    }
}
