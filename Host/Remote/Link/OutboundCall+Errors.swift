// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import Runtime

extension OutboundCall {
    /// What a status says of why the call failed, and what it may have done.
    func read(_ status: Status, _ trailers: Metadata) -> CallError {
        let code = StatusCode(lenient: Int32(truncatingIfNeeded: status.code.rawValue))
        if let error = StatusDetails.error(in: trailers, code: code) { return error }
        return Self.undetailed(code, status.message, hasSideEffect: hasSideEffect)
    }

    /// What a server that gives no details leaves unsaid: a refusal of the request did nothing, anything else may have.
    static func undetailed(_ code: StatusCode, _ message: String, hasSideEffect: Bool) -> CallError {
        let isRefusal: Bool
        switch code {
        case .invalidArgument, .notFound, .alreadyExists, .permissionDenied, .failedPrecondition, .outOfRange,
            .unimplemented, .unauthenticated:
            isRefusal = true
        default: isRefusal = false
        }
        let isPassing = code == .unavailable || code == .resourceExhausted
        let isKnown = isRefusal || !hasSideEffect
        return CallError(
            code, code == .unavailable ? "remote.lost" : "remote.failed",
            message.isEmpty ? "The instance's server ended the call with \(code)." : message,
            effect: isKnown ? .none : .unknown, retry: isPassing && isKnown ? .safe : .never)
    }

    /// What the transport threw.
    func read(_ error: any Error, _ link: RemoteLink) -> CallError {
        let isBegun = hasBegunNow
        if error is CancellationError || Task.isCancelled {
            // As the SDK says it, since the plugin's own word can no longer arrive.
            return CallError(
                .cancelled, "plugin.cancelled", "The call was cancelled before it was done.",
                effect: hasSideEffect && isBegun ? .unknown : .none)
        }
        guard isBegun, let error = error as? RPCError, error.code != .unavailable else {
            return Self.error(link, hasBegun: isBegun, hasSideEffect: hasSideEffect, why: Reach.words(error))
        }
        if let known = StatusDetails.error(in: error.metadata, code: StatusCode(lenient: Int32(error.code.rawValue))) {
            return known
        }
        return Self.undetailed(
            StatusCode(lenient: Int32(error.code.rawValue)), error.message, hasSideEffect: hasSideEffect)
    }

    /// A call that did not reach the server did nothing; of one that did, nobody knows.
    static func error(
        _ link: RemoteLink, hasBegun: Bool, hasSideEffect: Bool, why: String = "its connection ended"
    ) -> CallError {
        let instance = link.plan.name
        guard hasBegun else {
            return CallError(
                .unavailable, "remote.away", "The server of instance \(instance) cannot be reached: \(why).",
                retry: .safe)
        }
        return CallError(
            .unavailable, "remote.lost", "The server of instance \(instance) was lost during the call: \(why).",
            effect: hasSideEffect ? .unknown : .none, retry: hasSideEffect ? .never : .safe)
    }

    func malformed(_ what: String) -> CallError {
        CallError(
            .internal, "remote.malformed", "The instance's server \(what).", effect: hasSideEffect ? .unknown : .none)
    }
}

/// Why a server cannot be reached, in words.
enum Reach {
    static func words(_ error: any Error) -> String {
        var deepest = "\(error)"
        var next: (any Error)? = error
        while let current = next {
            let rpc = current as? RPCError
            deepest = rpc?.message ?? "\(current)"
            next = rpc?.cause
        }
        while deepest.hasSuffix(".") { deepest.removeLast() }
        return deepest
    }
}
