// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// One script of calls, played in both modes.
    static let modes = LibraryCheck(
        "modes", "the same calls give the same bytes and errors in the host's process and in one of its own",
        quick: false, limit: 400, leftOutIsolated: "there is no other mode to compare it with"
    ) { run in
        guard run.subject.manifest.modes.contains("isolated") else { throw Skip("its manifest does not list isolated") }
        let loaded = try run.library()
        var counts = (bytes: 0, kinds: 0)
        for (world, upstream) in [
            ("empty", Upstreams.empty), ("generated", Self.byContent(run.subject)), ("lost", Upstreams.lost),
            ("unrouted", Upstreams.unrouted),
        ] {
            var played = try plays(loaded, world, upstream, patience: 2000, &run)
            // Silence that not all have may be a slow machine's: then each waits longer.
            if played.isUneven { played = try plays(loaded, world, upstream, patience: 15_000, &run) }
            let (again, apart) = (played.again, played.apart)
            for (index, step) in played.first.enumerated() {
                // What differs from life to life by itself, such as a time, says nothing of the mode.
                let isSteady = step.seen == again[index].seen
                counts = isSteady ? (counts.bytes + 1, counts.kinds) : (counts.bytes, counts.kinds + 1)
                let isSame =
                    isSteady
                    ? apart[index].seen == step.seen
                    : [step.seen.kind, again[index].seen.kind].contains(apart[index].seen.kind)
                guard !isSame else { continue }
                run.fail(
                    "validator.modes_differ",
                    "\(step.name) (\(world)) gives \(step.seen.shown) in the host's process and \(apart[index].seen.shown) in one of its own."
                )
            }
        }
        run.note("compared_by_bytes", counts.bytes)
        run.note("compared_by_kind", counts.kinds)
    }

    /// Well-formed answers that depend on nothing but the request.
    private static func byContent(_ subject: Subject) -> Upstream {
        { call in
            guard let operation = call.operation else { return .reply([]) }
            let key = call.payload.reduce(0) { ($0 &* 31) &+ Int($1) }
            var generator = MessageGenerator(subject.catalog, subject.numbers("\(call.name) \(key)"))
            return .reply(generator.message(operation.output))
        }
    }

    /// What came of one call.
    private struct Seen: Equatable {
        var completion = RecordingHost.Completion()
        var chunks: [[UInt8]] = []
        /// What it asked of the host meanwhile.
        var asked: [String] = []
        var isSilent = false

        var kind: String { isSilent ? "silence" : "\(completion.code) \(completion.reason)" }

        /// For a person: what it is, and enough of its bytes to tell two apart.
        var shown: String {
            guard !isSilent else { return "no answer" }
            guard completion.code == THEATRE_OK else {
                return "\(completion.code) \(completion.reason) (effect \(completion.effect)): \(completion.message)"
            }
            let bytes = completion.payload.suffix(24).map { String($0, radix: 16) }.joined(separator: " ")
            return "\(completion.payload.count) bytes ending in \(bytes), \(chunks.count) chunks, \(asked.count) calls"
        }
    }

    private typealias Steps = [(name: String, seen: Seen)]

    /// The script twice in the host's process and once in one of its own.
    private struct Plays {
        let first: Steps
        let again: Steps
        let apart: Steps

        /// A step is silent in some of them.
        var isUneven: Bool {
            first.indices.contains {
                Set([first[$0].seen.isSilent, again[$0].seen.isSilent, apart[$0].seen.isSilent]).count > 1
            }
        }
    }

    private static func plays(
        _ loaded: LibraryHome, _ world: String, _ upstream: @escaping Upstream, patience: Int, _ run: inout CheckRun
    ) throws -> Plays {
        run.progress("the script in the host's process, where calls are \(world)")
        let first = try play(loaded, upstream, patience, &run), again = try play(loaded, upstream, patience, &run)
        run.progress("the script in a process of its own, where calls are \(world)")
        return Plays(first: first, again: again, apart: try play(.isolated, upstream, patience, &run))
    }

    private static func play(
        _ home: LibraryHome, _ upstream: @escaping Upstream, _ patience: Int, _ run: inout CheckRun
    ) throws -> Steps {
        let subject = run.subject
        // Each life begins with nothing.
        try subject.clearFolder(of: "modes")
        let trial = try run.ready(home, CheckRun.World(name: "modes", upstream: upstream))
        var steps: Steps = []
        var numbers = subject.numbers("modes")
        for operation in subject.operations {
            var odd = MessageGenerator(subject.catalog, subject.numbers("\(operation.name) odd"), style: .odd)
            let payloads =
                (0..<4).map { trial.request(operation, "modes \($0)") }
                + (0..<2).map { _ in odd.message(operation.description.input) }
                + Malformed.payloads(from: trial.request(operation), &numbers).prefix(2)
            for payload in payloads {
                steps.append(
                    (operation.name, try see(trial, operation.index, payload, operation.description.output, patience)))
            }
        }
        steps.append(("an unknown operation", try see(trial, subject.manifest.operations.count, [], "", patience)))
        trial.end()
        run.take(trial)
        return steps
    }

    private static func see(_ trial: Trial, _ index: Int, _ payload: [UInt8], _ output: String, _ patience: Int) throws
        -> Seen
    {
        let before = trial.host.monitor.withLock { Set($0.made.keys) }
        let wire = WireCheck(trial.subject.catalog)
        var seen = Seen()
        let (id, code) = try trial.invoke(index, payload)
        if code == THEATRE_OK {
            switch trial.outcome(id, milliseconds: patience) {
            case .completed(let completion): seen.completion = completion
            case .rejected, .silent:
                trial.giveUp(id, THEATRE_CANCEL_DEADLINE)
                seen.isSilent = true
            }
        } else {
            seen.completion.code = code
        }
        // The host says it of both modes in its own words.
        if code != THEATRE_OK || seen.completion.reason == "plugin.rejected" {
            seen.completion = RecordingHost.Completion(code: seen.completion.code, reason: "plugin.rejected")
        }
        trial.host.monitor.withLock { state in
            seen.chunks = state.served[id]?.chunks ?? []
            seen.asked = state.made.values.filter { !before.contains($0.id) }.sorted { $0.id < $1.id }
                .map { "\($0.name) \(wire.canonical($0.payload, $0.operation?.input ?? ""))" }
        }
        seen.chunks = seen.chunks.map { wire.canonical($0, output) }
        seen.completion.payload = wire.canonical(seen.completion.payload, output)
        return seen
    }
}
