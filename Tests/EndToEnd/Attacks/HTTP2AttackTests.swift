// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOHTTP1
import Testing

/// Frames of HTTP/2 that are no honest client's: one server for all of them, which must be alive behind each.
@Suite(.serialized) struct HTTP2AttackTests {
    @Test func theServerStandsWhatComesInFrames() async throws {
        let files = try TemporaryFolder(["tls.pem": SelfSigned.certificate, "tls.key": SelfSigned.key])
        let attacked = try await AttackedServer(
            host: """
                tls: {certificate: "\(files.path("tls.pem"))", key: "\(files.path("tls.key"))"}
                limits: {header_seconds: 2, body_seconds: 2, idle_seconds: 3}

                """)
        let server = attacked.server
        try await SelfSigned.withClient { http in
            let person = try await Account.new(on: server, by: http)
            let before = try server.residentMiB()
            for flood in Flood.all {
                try await stands(flood, server)
                #expect(try await person.client.get("/api/v1/me").status == 200, "behind \(flood.name)")
            }
            try await badRequests(person, server)
            try await slowStreams(server)
            #expect(try await person.client.get("/api/v1/me").status == 200)
            #expect(try server.residentMiB() - before < 150)
        }
        try await server.stop()
    }

    /// Frames without end: the server ends the connection, says why, and has not kept what came.
    private func stands(_ flood: Flood, _ server: ServerProcess) async throws {
        let connection = try await RawConnection.openHTTP2(server.url)
        await connection.send(flood.start)
        var sent = 0
        while !connection.isClosed, sent < flood.most {
            await connection.send(flood.part(sent))
            sent += 1
        }
        guard !flood.mayLast else { return await connection.close() }
        _ = try await connection.end()
        #expect(sent < flood.most, "\(flood.name): the server took \(sent) parts")
        #expect(try connection.streamStatuses().values.allSatisfy { $0 >= "400" }, "\(flood.name)")
    }

    /// Requests that HTTP/2 forbids: refused as frames or answered as bad, never served.
    private func badRequests(_ person: Account, _ server: ServerProcess) async throws {
        for request in BadStream.all(token: person.client.token ?? "") {
            let connection = try await RawConnection.openHTTP2(server.url)
            await connection.send(request.bytes)
            try await eventually("\(request.name) is refused; it said \(connection.frames.suffix(3))") {
                let status = try connection.streamStatuses()[1]
                return connection.isRefused(1) || connection.isClosed || status != nil ? true : nil
            }
            let status = try connection.streamStatuses()[1]
            #expect(request.expected.contains(status ?? "refused"), "\(request.name): \(status ?? "refused")")
            await connection.close()
        }
    }

    /// A stream that says nothing more ends in time, and so does a connection that never finishes its fields.
    private func slowStreams(_ server: ServerProcess) async throws {
        let fields = BadStream.fields("POST", "/api/v1/auth/login")
        let silent = try await RawConnection.openHTTP2(server.url)
        for stream: UInt32 in [1, 3, 5] {
            await silent.send(RawFrame(.headers, RawFrame.wholeBlock, on: stream, RawFrame.block(fields)).bytes)
        }
        try await eventually("silent streams are ended; it said \(silent.frames.suffix(3))") {
            let statuses = try silent.streamStatuses()
            return [1, 3, 5].allSatisfy { statuses[$0] == "408" || silent.isRefused($0) } ? true : nil
        }
        let half = try await RawConnection.openHTTP2(server.url)
        await half.send(RawFrame(.headers, on: 1, RawFrame.block(fields)).bytes)
        // Idle for three seconds, and another twenty for the pings that are never acknowledged.
        _ = try await half.end(seconds: 90)
        #expect(try half.streamStatuses().isEmpty)
    }
}
