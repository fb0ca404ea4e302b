// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix
import TheatreManifest

/// An entry that is sent to the fixture `Journal`.
struct JournalDraft: Sendable, Hashable {
    /// Unique; its idempotency key too.
    let id: String
    let aggregate: String
    /// 0: the server takes the aggregate's next.
    let number: Int64
}

/// The fixture `Journal` over HTTP.
struct JournalClient: Sendable {
    let url: String
    let http: HTTPClient

    /// What became of an entry that was sent.
    enum Outcome: Sendable {
        /// Stored under this number; `isReplayed` where that had been said before.
        case stored(number: Int64, isReplayed: Bool)
        /// Not now; the same request may come again.
        case later(status: Int, reason: String)
        /// Never, or not as expected.
        case refused(String)
        /// The connection broke, or nothing came: stored or not.
        case unknown(String)
    }

    /// A client that never sends a request twice by itself.
    static func makeHTTP() -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        return HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: configuration)
    }

    /// Sends an entry once.
    func enter(_ draft: JournalDraft) async -> Outcome {
        var request = HTTPClientRequest(url: "\(url)/api/v1/journal/entries")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "text/plain")
        request.headers.add(name: "Idempotency-Key", value: draft.id)
        request.body = .bytes(ByteBuffer(string: "\(draft.id) \(draft.aggregate) \(draft.number)"))
        let began = ContinuousClock.now
        do {
            let response = try await http.execute(request, timeout: .seconds(30))
            let body = String(buffer: try await response.body.collect(upTo: 1 << 20))
            if response.status == .created {
                guard let number = Int64(body.split(separator: "\n").first ?? "") else { return .refused(body) }
                return .stored(
                    number: number, isReplayed: response.headers.first(name: "idempotency-replayed") == "true")
            }
            let error = try JSONValue(json: Data(body.utf8))
            let reason = error.value(at: "/details/reason")?.string ?? ""
            guard error["retryable"]?.bool == true else { return .refused("\(response.status.code) \(body)") }
            return .later(status: Int(response.status.code), reason: reason)
        } catch {
            return .unknown("\(error) after \((ContinuousClock.now - began) / .seconds(1)) s")
        }
    }

    /// All lines of a report whose keys come after one, split into words.
    func report(
        _ name: String, after: String = "", isPaged: Bool = true, whileTrue isWanted: (String) -> Bool = { _ in true }
    ) async throws -> [[String]] {
        var lines: [[String]] = []
        var after = after
        while true {
            let request = HTTPClientRequest(url: "\(url)/api/v1/journal/reports/\(name)?after=\(after)")
            let response = try await http.execute(request, timeout: .seconds(30))
            let body = String(buffer: try await response.body.collect(upTo: 16 << 20))
            guard response.status == .ok else { throw Unexpected("the report \(name) answered \(body)") }
            let page = body.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            lines += page
            guard isPaged, let key = page.last?.first, isWanted(key) else { return lines }
            after = key
        }
    }
}
