// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import TheatreContracts
internal import Transcoding

/// What the recording host does with a call that the plugin makes.
enum Answer: Sendable {
    /// Nothing was sent: `request` returns the code.
    case refuse(theatre_code, String)
    /// It was taken and nothing ever comes, until the call it is made for ends.
    case never
    /// It succeeds with this message, for each message of a stream too.
    case reply([UInt8])
    /// The same, before `request` has returned.
    case inline([UInt8])
    /// It fails.
    case fail(theatre_code, reason: String, effect: UInt32, retry: UInt32)
}

/// A call as the plugin made it.
struct MadeCall: Sendable {
    let id: theatre_id
    /// As in the manifest: `feature/Operation`.
    let name: String
    /// `capability/Operation` with its contract, where the library carries it.
    let operation: OperationDescription?
    let onBehalfOf: theatre_id
    let payload: [UInt8]
    var isAnswered = false
    /// The plugin gave it up.
    var isCancelled = false
    /// Chunks each way.
    var received: UInt64 = 0
    var sent: UInt64 = 0
    var pluginEnded = false

    /// A call that may have changed the world when nobody answers.
    var hasSideEffect: Bool {
        operation?.sideEffect == true || operation?.holdsTransaction == true
            || name.hasSuffix(".Egress/Fetch") || name.hasSuffix("/Commit")
    }
}

/// Decides what becomes of calls.
typealias Upstream = @Sendable (MadeCall) -> Answer

/// The worlds a plugin is put into.
enum Upstreams {
    /// Of a call whose answer never came.
    static let lostReason = "call.lost"
    /// Of a call that was turned down.
    static let deniedReason = "call.denied"
    /// Of a host that is newer than this.
    static let newReason = "host.new"
    /// Everything succeeds with an empty message, which proto3 always allows.
    static let empty: Upstream = { _ in .reply([]) }
    /// The same, before `request` has returned.
    static let inline: Upstream = { _ in .inline([]) }
    /// Nothing ever answers.
    static let hanging: Upstream = { _ in .never }
    /// Nothing is routed.
    static let unrouted: Upstream = { _ in .refuse(THEATRE_UNAVAILABLE, "route.unrouted") }
    /// Every call is taken and fails, and certainly nothing was done.
    static let denied: Upstream = { _ in
        .fail(
            THEATRE_PERMISSION_DENIED, reason: deniedReason, effect: THEATRE_EFFECT_NONE, retry: THEATRE_RETRY_NEVER)
    }
    /// Every call fails, and nobody knows whether it was done.
    static let lost: Upstream = { call in
        .fail(
            THEATRE_UNAVAILABLE, reason: lostReason,
            effect: call.hasSideEffect ? THEATRE_EFFECT_UNKNOWN : THEATRE_EFFECT_NONE, retry: THEATRE_RETRY_NEVER)
    }

    /// Answers that are well formed and mean nothing, made of the contracts.
    static func generated(_ subject: Subject) -> Upstream {
        { call in
            guard let operation = call.operation else { return .reply([]) }
            var generator = MessageGenerator(subject.catalog, subject.numbers("\(call.name) \(call.id)"))
            return .reply(generator.message(operation.output))
        }
    }
}
