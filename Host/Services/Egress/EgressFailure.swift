// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import NIOSSL
internal import Runtime

/// Classifies what went wrong by whether the request may have arrived. Says nothing of the request but its place.
enum EgressFailure {
    /// The answer is larger than was asked for.
    struct TooLarge: Error {}

    /// The call error for an error of the client.
    static func classified(_ error: any Error, wasSent: Bool, place: String) -> CallError {
        let effect: CallError.Effect = wasSent ? .unknown : .none
        let retry: CallError.Retry = wasSent ? .never : .safe
        switch error {
        case is EgressClients.InwardAddress:
            return EgressPolicy.inward(place)
        case is TooLarge:
            return CallError(
                .resourceExhausted, "egress.too_large",
                "The answer of \(place) is larger than max_response_bytes; ask for more, at most 16 MiB.",
                effect: .unknown)
        case let error as HTTPClientError where error == .cancelled:
            return CallError(.cancelled, "egress.cancelled", "The request to \(place) was given up.", effect: effect)
        case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout:
            return CallError(
                .deadlineExceeded, "egress.timeout", "\(place) did not answer in time.", effect: effect, retry: retry)
        case is NIOSSLError where !wasSent, is NIOSSLExtraError where !wasSent:
            return CallError(
                .unavailable, "egress.untrusted",
                "The certificate of \(place) is not trusted: it is for another name, has lapsed, or its authority is "
                    + "unknown; name that in egress.ca_files of 00-host.yaml.")
        case is HTTPClientError where !wasSent && isInvalid(error):
            return CallError(.invalidArgument, "egress.bad_request", "The request to \(place) is malformed.")
        case let error as HTTPClientError where !wasSent && error == .alreadyShutdown:
            return CallError(.unavailable, "egress.closed", "The host is shutting down.", retry: .safe)
        default:
            return wasSent
                ? CallError(
                    .unavailable, "egress.broken", "The connection to \(place) broke before the answer was whole.",
                    effect: .unknown)
                : CallError(
                    .unavailable, "egress.unreachable",
                    "\(place) cannot be reached: \(kind(error)).", retry: .safe)
        }
    }

    private static func isInvalid(_ error: any Error) -> Bool {
        let text = String(describing: error)
        return text.contains("invalidHeader") || text.contains("invalidURL") || text.contains("unsupportedScheme")
    }

    /// The type's name only: descriptions may hold what was sent.
    private static func kind(_ error: any Error) -> String {
        if error is HTTPClientError { return "no connection in time" }
        return "\(type(of: error))"
    }
}
