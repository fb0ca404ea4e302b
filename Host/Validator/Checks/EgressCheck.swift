// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// No socket of its own.
    static let egress = LibraryCheck(
        "egress", "it opens no socket of its own: what it reaches, it reaches through the host", quick: false, limit: 60
    ) { run in
        let subject = run.subject
        let isDriver =
            !subject.manifest.grants.egress.isEmpty
            && !subject.manifest.calls.contains { Manifest.owner(of: $0) == "theatre.host.v1.Egress" }
        guard !isDriver else {
            throw Skip(
                "it asks for \(subject.manifest.grants.egress.joined(separator: ", ")) for a driver library of its own")
        }
        let library = try run.library()
        let watch = SocketWatch()
        watch.start()
        let trial = try run.ready(library, CheckRun.World(upstream: Upstreams.generated(subject)))
        for operation in subject.operations {
            for round in 0..<10 {
                run.progress("a call of \(operation.name)")
                _ = try trial.call(operation.index, trial.request(operation, "egress \(round)"))
            }
        }
        trial.end()
        let seen = watch.stop()
        run.take(trial)
        run.note("samples", seen.samples)
        if seen.most > 0 {
            run.fail("validator.socket", "It had \(seen.most) sockets open that the host did not give it.")
        }
    }
}

/// Counts the sockets of this process again and again on a thread of its own.
final class SocketWatch: Sendable {
    private let state = Monitor((isRunning: true, samples: 0, most: 0))
    private let before = SocketWatch.count()

    func start() {
        SerialThread().enqueue { [self] in
            var isRunning = true
            while isRunning {
                let found = Self.count() - before
                isRunning = state.withLock { state in
                    state.samples += 1
                    state.most = max(state.most, found)
                    return state.isRunning
                }
                _ = state.wait(milliseconds: 1) { $0.isRunning ? nil : true }
            }
        }
    }

    func stop() -> (samples: Int, most: Int) {
        state.withLock { state in
            state.isRunning = false
            return (state.samples, state.most)
        }
    }

    private static func count() -> Int {
        ProcessSnapshot.openDescriptors().values.count { $0.hasPrefix("socket:") }
    }
}
