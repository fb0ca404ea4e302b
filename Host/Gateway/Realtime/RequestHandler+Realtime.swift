// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1
internal import Runtime

extension RequestHandler {
    /// Serves GET /api/v1/realtime/sse.
    func serveEvents(_ exchange: Exchange) {
        guard let feed = core.services.events else {
            return answer(
                exchange,
                ErrorResponse(.serviceUnavailable, "realtime.no_log", "No event log is configured.")
            )
        }
        guard let channels = Self.channels(exchange) else {
            return answer(
                exchange,
                ErrorResponse(
                    .badRequest, "realtime.channels",
                    "Name 1 to 20 channels in ?channels=, such as user:usr_1,project:prj_1."))
        }
        authenticate(exchange) { handler, exchange, verdict in
            switch verdict {
            case .refused(let error): handler.refuse(exchange, error)
            case .caller(nil): handler.refuse(exchange, .tokenMissing)
            case .caller(let caller?):
                let principal = caller.principal
                exchange.caller = caller
                if handler.isShutOut(exchange) { return handler.refuse(exchange, .tenantClosed) }
                guard principal.permits("realtime", "read") else {
                    return handler.refuse(exchange, .scope("realtime", "read"))
                }
                if let error = handler.limited(exchange, "realtime") { return handler.refuse(exchange, error) }
                handler.allow(exchange, principal, channels, 0) { handler in
                    exchange.isAuthorised = true
                    exchange.opensStream = { handler in handler.open(exchange, principal, channels, feed) }
                    if exchange.isComplete { handler.proceed(exchange) }
                }
            }
        }
    }

    private static func channels(_ exchange: Exchange) -> [String]? {
        guard let query = PercentDecoding.query(exchange.query),
            let list = query.first(where: { $0.name == "channels" })
        else { return nil }
        let channels = list.value.split(separator: ",").map(String.init)
        let isFit = channels.allSatisfy { $0.utf8.count <= 128 && ($0.hasPrefix("user:") || $0.hasPrefix("project:")) }
        return (1...20).contains(channels.count) && isFit ? channels : nil
    }

    /// Checks the channels from `index` on, one after the other.
    private func allow(
        _ exchange: Exchange, _ principal: Principal, _ channels: [String], _ index: Int,
        then: @escaping (RequestHandler) -> Void
    ) {
        guard index < channels.count else { return then(self) }
        let channel = channels[index]
        if channel.hasPrefix("user:") {
            guard channel.dropFirst(5) == principal.id else { return refuse(exchange, .channel(channel)) }
            return allow(exchange, principal, channels, index + 1, then: then)
        }
        let project = String(channel.dropFirst(8))
        standing(of: principal, in: project) { handler, result in
            guard exchange === handler.exchange else { return }
            switch result {
            case .success(let standing):
                let decision = AccessDecision(
                    AccessRule(parameter: "channels", role: .viewer), standing, project: project,
                    roles: principal.roles, from: handler.client(exchange), at: handler.core.services.now())
                guard decision.refusal == nil else { return handler.refuse(exchange, .channel(channel)) }
                handler.allow(exchange, principal, channels, index + 1, then: then)
            case .failure(let error): handler.refuse(exchange, ErrorResponse(error, module: "gateway"))
            }
        }
    }

    private func open(_ exchange: Exchange, _ principal: Principal, _ channels: [String], _ feed: any EventFeed) {
        let last = exchange.headers.lastEventID
        let resumesAt = last.map { text in Int64(text).flatMap { $0 >= 0 ? $0 : nil } ?? -1 }
        guard exchange.head.method == .GET else {
            return answer(
                exchange, Exchange.Answer(status: .ok, contentType: "text/event-stream", body: ByteBuffer()))
        }
        let stream = EventStream(
            self, exchange, feed: feed, channels: channels, tenant: principal.tenant, resumesAt: resumesAt)
        self.stream = stream
        stream.start()
    }

    /// Ends a stream and its connection, within a second also where the client does not read.
    func endStream(_ exchange: Exchange) {
        guard exchange === self.exchange, let channel = context?.channel else { return }
        end(exchange, closes: true)
        state.loop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }
}

extension ErrorResponse {
    static func channel(_ channel: String) -> ErrorResponse {
        ErrorResponse(.forbidden, "auth.channel", "You may not follow the channel \(channel).")
    }
}
