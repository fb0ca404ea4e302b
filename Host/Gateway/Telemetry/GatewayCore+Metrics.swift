// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import TheatreManifest

/// Prometheus text.
extension GatewayCore {
    func metricsText() -> String {
        var text = """
            # TYPE theatre_http_in_flight gauge
            theatre_http_in_flight \(inFlight.load(ordering: .relaxed))
            # TYPE theatre_http_connections gauge
            theatre_http_connections \(connections.load(ordering: .relaxed))
            # TYPE theatre_http_requests_total counter
            # TYPE theatre_http_received_bytes_total counter
            # TYPE theatre_http_sent_bytes_total counter

            """
        for entry in table.entries { Self.append(entry.counters, route: entry.key, to: &text) }
        Self.append(unmatched, route: "-", to: &text)
        return text
    }

    private static func append(_ counters: RouteCounters, route: String, to text: inout String) {
        for (name, count) in counters.requests where count > 0 {
            text += "theatre_http_requests_total{route=\"\(route)\",status=\"\(name)\"} \(count)\n"
        }
        text += "theatre_http_received_bytes_total{route=\"\(route)\"} \(counters.received)\n"
        text += "theatre_http_sent_bytes_total{route=\"\(route)\"} \(counters.sent)\n"
    }
}
