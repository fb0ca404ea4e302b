// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// Two instances of one library.
    static let pair = LibraryCheck(
        "pair", "two instances do not touch each other: answers, ids, and the death of one", quick: false, limit: 120
    ) { run in
        let library = try run.library()
        let first = try run.ready(library, CheckRun.World(name: "first", base: 0x1_0000))
        let second = try run.ready(library, CheckRun.World(name: "second", base: 0x4000_0000))
        // A server that both are told to connect to is what they share by their configuration, as it shows what it holds.
        let sharesServer = !run.subject.manifest.grants.connect.isEmpty
        let pure = run.subject.operations.filter { $0.description.freeOfEffects && !$0.description.isServerStreaming }
        run.progress("calls to one instance while the other is used")
        for operation in pure {
            let request = second.request(operation, "pair")
            let alone = try second.call(operation.index, request)
            let again = try second.call(operation.index, request)
            for other in run.subject.operations { _ = try first.call(other.index, first.request(other, "other")) }
            let after = try second.call(operation.index, request)
            // What differs from call to call by itself, such as a time, says nothing.
            guard alone == again, after != alone, !sharesServer || after.kind != alone.kind,
                try isStill(second, operation.index, request)
            else { continue }
            run.fail(
                "validator.instances_share", "\(operation.name) answered otherwise after another instance was used.")
        }
        run.progress("the death of one instance while the other serves")
        var open: [(id: theatre_id, name: String)] = []
        for operation in run.subject.operations {
            let (id, code) = try second.invoke(operation.index, second.request(operation, "alive"))
            if code == THEATRE_OK { open.append((id, operation.name)) }
        }
        first.end()
        run.expectEnd(second, open, "validator.instances_share", within: 15_000)
        for operation in run.subject.operations {
            let outcome = try second.call(operation.index, second.request(operation, "survivor"))
            if outcome == .silent {
                run.fail(
                    "validator.instances_share", "\(operation.name) is silent since another instance was destroyed.")
            }
        }
        second.end()
        run.linger(second)
        run.take(first)
        run.take(second)
        run.note("compared", pure.map(\.name))
    }

    /// Whether the answer stays the same over a second in which nothing else is done.
    private static func isStill(_ trial: Trial, _ index: Int, _ request: [UInt8]) throws -> Bool {
        let before = try trial.call(index, request)
        _ = trial.host.monitor.wait(milliseconds: 1000) { _ -> Bool? in nil }
        return try trial.call(index, request) == before
    }
}
