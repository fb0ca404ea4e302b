// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

extension RequestHandler {
    /// Counts and logs; whether the connection closes after this answer.
    func finish(_ exchange: Exchange, status: HTTPResponseStatus, bytes: Int) -> Bool {
        let counters = exchange.entry?.counters ?? core.unmatched
        counters.count(status: status.code, in: max(exchange.received, exchange.body.readableBytes), out: bytes)
        if core.log.logLevel <= .debug {
            core.log.debug(
                "request",
                metadata: [
                    "request.id": "\(exchange.requestID)", "request.method": "\(exchange.head.method)",
                    "request.route": "\(exchange.entry?.key ?? "-")", "response.status": "\(status.code)",
                    "response.bytes": "\(bytes)",
                    "request.microseconds": "\((state.loop.now - exchange.startedAt).nanoseconds / 1000)",
                ])
        }
        let hasMore = !exchange.isComplete && (exchange.headers.isChunked || (exchange.headers.contentLength ?? 0) > 0)
        // A stream of HTTP/2 ends with its answer, and a drain ends the connection below it; to close it would reset it.
        let isFaulty = exchange.headers.fault(in: exchange.head.version) != nil
        guard !isStream else { return hasMore || isFaulty }
        return hasMore || isFaulty || !exchange.head.isKeepAlive
            || exchange.head.version.minor == 0 || core.isDraining.load(ordering: .relaxed)
            || reader?.isQuiescing == true
    }
}
