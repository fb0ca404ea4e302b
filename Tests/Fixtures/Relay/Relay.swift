// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Calls another plugin twice for each request and tells both answers.
struct Relay: Plugin, HTTPHandlerContract {
    static var operations: [Operation<Relay>] { httpHandlerOperations }

    init(_ host: PluginHost, _ configuration: RelayConfiguration) throws {}

    func handle(_ request: HTTPRequest, _ call: Call) async throws -> HTTPResponse {
        let next = HTTPHandlerClient(call, feature: "relay.next")
        let first = try await next.handle(HTTPRequest())
        await Task.yield()
        let second = try await next.handle(HTTPRequest())
        return .with {
            $0.status = 200
            $0.contentType = "text/plain; charset=utf-8"
            $0.body = first.body + Data(" ".utf8) + second.body
        }
    }
}

/// Nothing can be set.
struct RelayConfiguration: Decodable, Sendable {}
