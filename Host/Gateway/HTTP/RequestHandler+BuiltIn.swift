// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// Probes and descriptions that no plugin serves.
extension RequestHandler {
    /// Serves the request if it is for a built-in path.
    func serveBuiltIn(_ exchange: Exchange) -> Bool {
        if core.cookie != nil, serveCookie(exchange) { return true }
        guard exchange.head.method == .GET || exchange.head.method == .HEAD else { return false }
        guard exchange.pathEnd < 16 || exchange.pathEnd == 20 || exchange.pathEnd == 21 else { return false }
        switch exchange.path {
        case let path where path.elementsEqual("/healthz".utf8): text(exchange, .ok, "ok\n")
        case let path where path.elementsEqual("/readyz".utf8):
            let isReady = core.services.isReady() && !core.isDraining.load(ordering: .relaxed)
            let impediment = isReady ? core.services.impediment() : ""
            if impediment.isEmpty {
                text(exchange, isReady ? .ok : .serviceUnavailable, isReady ? "ready\n" : "not ready\n")
            } else {
                text(exchange, .serviceUnavailable, "not ready: \(impediment)\n")
            }
        case let path where path.elementsEqual("/metrics".utf8):
            text(exchange, .ok, core.metricsText() + core.services.metrics(), type: "text/plain; version=0.0.4")
        case let path where path.elementsEqual("/openapi.json".utf8): describe(exchange)
        case let path where path.elementsEqual("/api/v1/realtime/sse".utf8): serveEvents(exchange)
        case let path where path.elementsEqual("/api/v1/authz/explain".utf8): explainAccess(exchange)
        default: return false
        }
        return true
    }

    private func describe(_ exchange: Exchange) {
        let description = core.table.description
        if let bytes = description.ready { return json(exchange, bytes) }
        let bound = NIOLoopBound((self, exchange), eventLoop: state.loop)
        description.whenReady(on: state.loop).whenComplete { result in
            let (handler, exchange) = bound.value
            guard exchange === handler.exchange else { return }
            switch result {
            case .success(let bytes): handler.json(exchange, bytes)
            case .failure:
                handler.answer(
                    exchange,
                    ErrorResponse(
                        .serviceUnavailable, "request.no_description",
                        "The API description cannot be made while the server stops; try again later."))
            }
        }
    }

    private func json(_ exchange: Exchange, _ bytes: ByteBuffer) {
        answer(exchange, Exchange.Answer(status: .ok, contentType: "application/json", body: bytes))
    }

    private func text(
        _ exchange: Exchange, _ status: HTTPResponseStatus, _ text: String, type: String = "text/plain; charset=utf-8"
    ) {
        answer(exchange, Exchange.Answer(status: status, contentType: type, body: ByteBuffer(string: text)))
    }
}
