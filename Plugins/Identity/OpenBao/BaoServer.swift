// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// Requests to the server, each with what it knows us by.
///
/// A token of the deployment's never comes here: the host puts it in the place of a placeholder. What a login answers does,
/// and is kept until two thirds of its time have passed.
final class BaoServer: Sendable {
    let configuration: OpenBaoConfiguration
    private let host: PluginHost
    private let session = Mutex<Session?>(nil)

    private struct Session {
        var token: String
        /// Milliseconds since 1970.
        var renewal: Int64
    }

    init(_ host: PluginHost, _ configuration: OpenBaoConfiguration) {
        self.host = host
        self.configuration = configuration
    }

    /// The `data` of an answer.
    ///
    /// - Throws: `BaoFault`.
    func data(
        _ method: String, _ path: String, _ body: [String: JSONValue]? = nil, _ call: Call
    ) async throws -> JSONValue {
        switch configuration.authentication {
        case .token: return try await members("data", method, path, body, token: "${secret:token}", call)
        case .appRole:
            let token = try await login(call)
            do { return try await members("data", method, path, body, token: token, call) } catch BaoFault.refused {
                // It may have been revoked before its time: the same status says both.
                forget(token)
                return try await members("data", method, path, body, token: try await login(call), call)
            }
        }
    }

    /// A token of the AppRole, the one that is known while it lasts.
    private func login(_ call: Call) async throws -> String {
        let now = host.now
        if let known = session.withLock({ $0 }), now < known.renewal { return known.token }
        let body: [String: JSONValue] = [
            "role_id": .string(try await lease("role_id", call)),
            "secret_id": .string(try await lease("secret_id", call)),
        ]
        let path = "auth/\(configuration.appRoleMount)/login"
        let auth: JSONValue
        do { auth = try await members("auth", "POST", path, body, token: nil, call) } catch BaoFault.rejected {
            throw BaoFault.refused("the AppRole does not count")
        } catch BaoFault.missing {
            throw BaoFault.misconfigured("there is no AppRole at that mount")
        }
        guard let token = auth["client_token"]?.string, !token.isEmpty else {
            throw BaoFault.misconfigured("a login answers no token")
        }
        let seconds = max(0, auth["lease_duration"]?.integer ?? 0)
        // Asked for anew after two thirds of its time, of a day where it is longer, of an hour where it never ends.
        let kept = seconds == 0 ? 3600 : min(seconds, 86_400)
        session.withLock { $0 = Session(token: token, renewal: now + kept * 2000 / 3) }
        return token
    }

    private func forget(_ token: String) {
        session.withLock { if $0?.token == token { $0 = nil } }
    }

    private func lease(_ name: String, _ call: Call) async throws -> String {
        do {
            let value = try await HostSecretsClient(call).lease(.with { $0.name = name }).value
            return String(decoding: value, as: UTF8.self)
        } catch let error as PluginError { throw BaoFault.transport(error) }
    }

    private func members(
        _ part: String, _ method: String, _ path: String, _ body: [String: JSONValue]?, token: String?, _ call: Call
    ) async throws -> JSONValue {
        var headers = [("accept", "application/json"), ("x-vault-request", "true")]
        if let token { headers.append(("x-vault-token", token)) }
        if !configuration.namespace.isEmpty { headers.append(("x-vault-namespace", configuration.namespace)) }
        if body != nil { headers.append(("content-type", "application/json")) }
        let request = try HostFetchRequest.with {
            $0.method = method
            $0.url = configuration.url(path)
            $0.addHeaders(headers)
            if let body { $0.body = try JSONValue.object(body).json() }
            $0.timeoutMs = configuration.timeoutMilliseconds
            $0.maxResponseBytes = 256 << 10
        }
        let answer: HostFetchResponse
        do { answer = try await HostEgressClient(call).fetch(request) } catch let error as PluginError {
            throw BaoFault.transport(error)
        }
        guard answer.status == 200 else { throw BaoFault(answer) }
        do {
            if let value = try JSONValue(json: answer.body)[part], value.object != nil { return value }
        } catch {
            throw BaoFault.misconfigured("its answer is no JSON")
        }
        throw BaoFault.misconfigured("its answer has no \(part)")
    }
}
