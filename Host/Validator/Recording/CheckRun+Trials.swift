// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreManifest

extension CheckRun {
    /// How a trial's host behaves.
    struct World {
        var name = "validated"
        var shape = Shape.plain
        var revokes = false
        /// Ids of the host's calls are above it.
        var base: theatre_id = 0x1_0000
        /// Once the instance is READY.
        var upstream: Upstream = Upstreams.empty
    }

    /// Where its trials live: in this process, or each in one of its own where its manifest allows nothing else.
    func library() throws -> LibraryHome {
        subject.isIsolatedOnly ? .isolated : .loaded(try PluginLibrary(subject.file))
    }

    /// A READY instance. Its upstreams answer emptily while it is activated, or with well-formed messages where that is
    /// not enough.
    ///
    /// - Throws: `Skip` where this library cannot be brought there here.
    mutating func ready(_ library: LibraryHome, _ world: World = World()) throws -> Trial {
        var last = Skip("it was not tried")
        for upstream in [Upstreams.empty, Upstreams.generated(subject)] {
            let trial = Trial(
                subject, library, name: world.name, shape: world.shape, revokes: world.revokes, base: world.base,
                upstream: upstream)
            progress("create and activate")
            do {
                try trial.ready()
                trial.host.monitor.withLock { $0.upstream = world.upstream }
                return trial
            } catch let skip as Skip {
                take(trial)
                last = skip
            }
        }
        throw last
    }

    /// Waits for calls that were taken; what stays silent is a fault.
    mutating func expectEnd(_ trial: Trial, _ calls: [(id: theatre_id, name: String)], _ reason: String, within: Int) {
        for call in calls where trial.outcome(call.id, milliseconds: within) == .silent {
            return fail(reason, "A call of \(call.name) was never completed.")
        }
    }

    /// A late call into the host shows itself within this time.
    func linger(_ trial: Trial, milliseconds: Int = 100) {
        _ = trial.host.monitor.wait(milliseconds: milliseconds) { _ -> Bool? in nil }
    }
}
