// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import SeededRandom
import Synchronization
import Testing

/// The host is killed at random instants while many put blobs.
@Suite(.serialized) struct BlobKillTests {
    @Test func whatLocalBlobsAcknowledgedSurvivesKills() async throws {
        let http = JournalClient.makeHTTP()
        do {
            try await run(BlobWriters(http: http), FaultPlan.current)
        } catch {
            try await http.shutdown()
            throw error
        }
        try await http.shutdown()
    }

    private func run(_ load: BlobWriters, _ plan: FaultPlan) async throws {
        let files = FaultEngine.sqlite.deployment.merging(JournalClient.blobs()) { $1 }
        let (deployment, folder) = (try TemporaryFolder(files), try TemporaryFolder())
        var dice = SeededGenerator(seed: plan.seed)
        var progress = FaultProgress(.killsUnderBlobs, plan)
        var kill = 0
        while kill < plan.kills || progress.goesOn {
            progress.tell("\(kill) kills, \(load.counts.acknowledged) blobs acknowledged")
            let server = try await ServerProcess.start(deployment.root, folder: folder)
            let checked = try await load.check(server.url, ofRound: kill - 1)
            #expect(checked.isEmpty, "after kill \(kill): \(checked.prefix(5))")
            let moment = Int.random(in: 5...300, using: &dice)
            let round = kill
            async let writing: Void = load.run(server.url, round: round)
            try await Task.sleep(for: .milliseconds(moment))
            try await server.crash()
            try await writing
            kill += 1
        }
        let server = try await ServerProcess.start(deployment.root, folder: folder)
        let checked = try await load.check(server.url)
        #expect(checked.isEmpty, "\(checked.prefix(5))")
        try await server.stop()
        let (sent, acknowledged) = load.counts
        #expect(acknowledged > kill, "too little was written to prove anything")
        progress.end("\(kill) kills: \(sent) blobs sent, \(acknowledged) acknowledged")
    }
}

/// Many that put blobs at the same time, whose bytes follow from their keys.
private final class BlobWriters: Sendable {
    private let http: HTTPClient
    /// Keys that were sent, and whether they were acknowledged; by round.
    private let sent = Mutex<[Int: [String: Bool]]>([:])

    init(http: HTTPClient) { self.http = http }

    var counts: (sent: Int, acknowledged: Int) {
        let all = sent.withLock { $0.values.flatMap(\.values) }
        return (all.count, all.count { $0 })
    }

    /// Puts until the server goes.
    func run(_ url: String, round: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<6 {
                group.addTask {
                    for serial in 0..<Int.max {
                        guard try await self.put(url, round, "r\(round)-\(writer)-\(serial)") else { return }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func put(_ url: String, _ round: Int, _ key: String) async throws -> Bool {
        sent.withLock { $0[round, default: [:]][key] = false }
        var request = HTTPClientRequest(url: "\(url)/api/v1/journal/blobs/\(key)")
        request.method = .PUT
        request.headers.add(name: "Content-Type", value: "application/octet-stream")
        request.body = .bytes(ByteBuffer(bytes: Self.bytes(of: key)))
        let response: HTTPClientResponse
        do {
            response = try await http.execute(request, timeout: .seconds(30))
        } catch {
            return false
        }
        guard response.status == .created else {
            throw Unexpected(
                "\(key) answered \(response.status): \(String(buffer: try await response.body.collect(upTo: 1 << 20)))")
        }
        sent.withLock { $0[round, default: [:]][key] = true }
        return true
    }

    /// What is not as it was promised: acknowledged and not there, or there and not what was sent.
    func check(_ url: String, ofRound round: Int? = nil) async throws -> [String] {
        var wrong: [String] = []
        let keys = sent.withLock { sent in
            round.map { sent[$0] ?? [:] } ?? sent.values.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
        }
        for (key, isAcknowledged) in keys {
            let request = HTTPClientRequest(url: "\(url)/api/v1/journal/blobs/\(key)")
            let response = try await http.execute(request, timeout: .seconds(30))
            let body = try await response.body.collect(upTo: 2 << 20)
            switch response.status {
            case .ok where Array(body.readableBytesView) == Self.bytes(of: key): break
            case .ok: wrong.append("\(key) is not what was sent")
            case .notFound where !isAcknowledged: break
            default:
                wrong.append(
                    "\(key), acknowledged: \(isAcknowledged), answered \(response.status) \(String(buffer: body))")
            }
        }
        return wrong
    }

    /// Of several sizes; a few alike, which a store that goes by content keeps once.
    private static func bytes(of key: String) -> [UInt8] {
        let seed = key.utf8.reduce(into: UInt64(14_695_981_039_346_656_037)) {
            $0 = ($0 ^ UInt64($1)) &* 1_099_511_628_211
        }
        var numbers = SeededGenerator(seed: seed % 8 == 0 ? 0 : seed)
        let words = [10, 200, 2000, 9000][Int(numbers.next() % 4)]
        return (0..<words).flatMap { _ in withUnsafeBytes(of: numbers.next()) { Array($0) } }
    }
}
