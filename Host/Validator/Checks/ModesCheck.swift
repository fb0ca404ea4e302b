// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Remote
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// One script of calls, played in every mode.
    static let modes = LibraryCheck(
        "modes", "the same calls give the same bytes and errors in the host's process, in one of its own, and served",
        quick: false, limit: 600, leftOutIsolated: "there is no other mode to compare it with"
    ) { run in
        let others = Elsewhere.allCases.filter { run.subject.manifest.modes.contains($0.rawValue) }
        guard !others.isEmpty else { throw Skip("its manifest lists neither isolated nor remote") }
        let loaded = try run.library()
        var counts = (bytes: 0, kinds: 0)
        let subject = run.subject
        let worlds: [World] = [
            World("empty") { _ in Upstreams.empty }, World("generated") { byTurn(subject, $0) },
            World("lost") { _ in Upstreams.lost }, World("unrouted") { _ in Upstreams.unrouted },
        ]
        for world in worlds {
            var played = try plays(loaded, others, world, patience: 2000, &run)
            // Silence that not all have may be a slow machine's: then each waits longer.
            if played.isUneven { played = try plays(loaded, others, world, patience: 15_000, &run) }
            for (elsewhere, apart) in played.apart {
                compare(played, apart, elsewhere, world.name, &counts, &run)
            }
        }
        run.note("compared_with", others.map(\.rawValue))
        run.note("compared_by_bytes", counts.bytes)
        run.note("compared_by_kind", counts.kinds)
        let left = Elsewhere.allCases.filter { !others.contains($0) }
        if !left.isEmpty {
            run.note("left_out", left.map { "\($0.rawValue): its manifest does not list it" })
        }
    }

    /// What becomes of the calls that a step makes.
    private struct World {
        let name: String
        /// Given the step's number.
        let upstream: (Int) -> Upstream

        init(_ name: String, _ upstream: @escaping (Int) -> Upstream) { (self.name, self.upstream) = (name, upstream) }
    }

    /// Modes beside the host's process, as a manifest calls them.
    private enum Elsewhere: String, CaseIterable {
        case isolated, remote

        /// Where it is, for a person.
        var place: String { self == .isolated ? "in a process of its own" : "at a server" }
    }

    /// Compares each step of a mode with the same in the host's process.
    private static func compare(
        _ played: Plays, _ apart: Steps, _ elsewhere: Elsewhere, _ world: String,
        _ counts: inout (bytes: Int, kinds: Int), _ run: inout CheckRun
    ) {
        for (step, (again, other)) in zip(played.first, zip(played.again, apart)) {
            // What differs from life to life by itself, such as a time, says nothing of the mode.
            let isSteady = step.seen == again.seen
            counts = isSteady ? (counts.bytes + 1, counts.kinds) : (counts.bytes, counts.kinds + 1)
            let isSame =
                isSteady
                ? other.seen == step.seen : [step.seen.kind, again.seen.kind].contains(other.seen.kind)
            guard !isSame else { continue }
            run.fail(
                "validator.modes_differ",
                "\(step.name) (\(world)) gives \(step.seen.shown) in the host's process and \(other.seen.shown) \(elsewhere.place)."
            )
        }
    }

    /// Well-formed answers that depend on nothing but which call it is, of how many in one step: what is in a request may
    /// be a time.
    private static func byTurn(_ subject: Subject, _ step: Int) -> Upstream {
        // Asked once for each message of a stream, of which there may be more here than there.
        let turns = Monitor<(of: [theatre_id: Int], made: [String: Int])>(([:], [:]))
        return { call in
            guard let operation = call.operation else { return .reply([]) }
            let turn = turns.withLock { turns -> Int in
                if let known = turns.of[call.id] { return known }
                let key = "\(call.name) \(call.onBehalfOf)"
                turns.made[key, default: 0] += 1
                turns.of[call.id] = turns.made[key]
                return turns.made[key, default: 0]
            }
            var generator = MessageGenerator(subject.catalog, subject.numbers("\(call.name) \(step) \(turn)"))
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

    /// The script twice in the host's process and once in each other mode.
    private struct Plays {
        let first: Steps
        let again: Steps
        let apart: [(Elsewhere, Steps)]

        /// A step is silent in some of them.
        var isUneven: Bool {
            let all = [first, again] + apart.map(\.1)
            return first.indices.contains { index in
                Set(all.filter { index < $0.count }.map { $0[index].seen.isSilent }).count > 1
            }
        }
    }

    private static func plays(
        _ loaded: LibraryHome, _ others: [Elsewhere], _ world: World, patience: Int, _ run: inout CheckRun
    ) throws -> Plays {
        run.progress("the script in the host's process, where calls are \(world.name)")
        let first = try play(loaded, world, patience, &run), again = try play(loaded, world, patience, &run)
        let apart = try others.map { elsewhere in
            run.progress("the script \(elsewhere.place), where calls are \(world.name)")
            return (elsewhere, try play(elsewhere, world, patience, &run))
        }
        return Plays(first: first, again: again, apart: apart)
    }

    private static func play(
        _ elsewhere: Elsewhere, _ world: World, _ patience: Int, _ run: inout CheckRun
    ) throws -> Steps {
        guard elsewhere == .remote else { return try play(LibraryHome.isolated, world, patience, &run) }
        let server = try LibraryServer(run.subject, folder: run.subject.folder)
        defer { server.end() }
        return try play(.served(server), world, patience, &run)
    }

    private static func play(
        _ home: LibraryHome, _ world: World, _ patience: Int, _ run: inout CheckRun
    ) throws -> Steps {
        let subject = run.subject
        // Each life begins with nothing.
        try subject.clearFolder(of: "modes")
        let trial = try run.ready(home, CheckRun.World(name: "modes", upstream: world.upstream(0)))
        var steps: Steps = []
        var numbers = subject.numbers("modes")
        for operation in subject.operations {
            var odd = MessageGenerator(subject.catalog, subject.numbers("\(operation.name) odd"), style: .odd)
            let payloads =
                (0..<4).map { trial.request(operation, "modes \($0)") }
                + (0..<2).map { _ in odd.message(operation.description.input) }
                + Malformed.payloads(from: trial.request(operation), &numbers).prefix(2)
            for payload in payloads {
                trial.host.monitor.withLock { $0.upstream = world.upstream(steps.count + 1) }
                steps.append(
                    (operation.name, try see(trial, operation.index, payload, operation.description.output, patience)))
            }
        }
        // Last: it has no name that a server could be asked for, so there is nothing to compare with there.
        if case .served = home {
        } else {
            steps.append(("an unknown operation", try see(trial, subject.manifest.operations.count, [], "", patience)))
        }
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
        // As a host's dispatcher, which sets one always; far beyond any patience here.
        let (id, code) = try trial.invoke(index, payload, Trial.Options(timeout: 300_000_000_000))
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
        // A server's errors have as much of a message as goes over its wire.
        seen.completion.message = seen.completion.message.cut(to: CallError.messageLimit)
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
