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
        "egress", "it opens no socket of its own: what it reaches, it reaches through the host", quick: false,
        limit: 120,
        leftOutIsolated: "its sandbox has no network"
    ) { run in
        let subject = run.subject
        guard subject.manifest.grants.connect.isEmpty else {
            throw Skip(
                "it asks to connect to \(subject.manifest.grants.connect.joined(separator: ", ")), for a driver library"
            )
        }
        let library = try run.library()
        let watch = SocketWatch()
        watch.start()
        let trial = try run.ready(library, CheckRun.World(upstream: Upstreams.generated(subject)))
        for operation in subject.operations {
            for round in 0..<10 {
                run.progress("a call of \(operation.name)")
                _ = try trial.call(operation.index, trial.request(operation, "egress \(round)"))
                watch.look()
            }
        }
        watch.look()
        trial.end()
        let seen = watch.stop()
        run.take(trial)
        run.note("samples", seen.samples)
        if seen.most > 0 {
            run.fail("validator.socket", "It had \(seen.most) sockets open that the host did not give it.")
        }
    }
}

/// Counts the sockets of this process when it is told to, which finds all that stay, and again and again on a thread of
/// its own, which finds many that do not.
final class SocketWatch: Sendable {
    private let state = Monitor((isRunning: true, samples: 0, most: 0))
    private let before = SocketWatch.count()

    func start() {
        SerialThread().enqueue { [self] in
            var isRunning = true
            while isRunning {
                isRunning = look()
                _ = state.wait(milliseconds: 1) { $0.isRunning ? nil : true }
            }
        }
    }

    /// Counts them now; whether to go on.
    @discardableResult
    func look() -> Bool {
        let found = Self.count() - before
        return state.withLock { state in
            state.samples += 1
            state.most = max(state.most, found)
            return state.isRunning
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
