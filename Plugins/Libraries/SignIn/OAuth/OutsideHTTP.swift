// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
public import TheatreContracts
public import TheatreManifest
public import TheatrePlugin

/// Small requests to the other side of a sign-in, through the host's egress.
public struct OutsideHTTP: Sendable {
    private let client: HostEgressClient
    private let timeoutMilliseconds: UInt32

    /// On behalf of a call or of the host.
    public init(_ scope: some CallScope, timeoutMilliseconds: UInt32) {
        client = HostEgressClient(scope)
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    /// GET of JSON.
    public func get(_ url: String, _ headers: [(String, String)] = []) async throws -> HostFetchResponse {
        try await fetch("GET", url, [("accept", "application/json")] + headers, Data())
    }

    /// POST of a form.
    public func post(
        _ url: String, _ fields: [(String, String)], _ headers: [(String, String)] = []
    ) async throws -> HostFetchResponse {
        let own = [("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")]
        return try await fetch("POST", url, own + headers, Data(Form.encode(fields).utf8))
    }

    private func fetch(
        _ method: String, _ url: String, _ headers: [(String, String)], _ body: Data
    ) async throws -> HostFetchResponse {
        let request = HostFetchRequest.with {
            $0.method = method
            $0.url = url
            $0.addHeaders(headers)
            $0.body = body
            $0.timeoutMs = timeoutMilliseconds
            $0.maxResponseBytes = 256 << 10
        }
        do { return try await client.fetch(request) } catch let error as PluginError {
            throw SignInError.transport(error)
        }
    }
}

extension HostFetchResponse {
    /// The body's members; nil where it is no JSON object.
    public var members: [String: JSONValue]? {
        do {
            guard case .object(let members) = try JSONValue(json: body) else { return nil }
            return members
        } catch {
            return nil
        }
    }

    /// For how many milliseconds the answer is fresh by `Cache-Control: max-age`: an hour where it does not say, at least
    /// a minute, at most a day.
    public var freshMilliseconds: Int64 {
        let field = headers.first { $0.name.lowercased() == "cache-control" }?.value.lowercased() ?? ""
        let directives = field.split(separator: ",").map { $0.drop(while: \.isWhitespace) }
        let age = directives.first { $0.hasPrefix("max-age=") }.flatMap { Int64($0.dropFirst(8)) } ?? 3600
        return min(max(age, 60), 86_400) * 1000
    }
}
