// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// Which engine a request is for.
enum BaoEngine: Sendable {
    case transit
    case kv
}

/// Why there is no answer that counts, by the status (https://openbao.org/api-docs/#http-status-codes).
enum BaoFault: Error, Sendable {
    /// The token or the AppRole does not count, or its policy does not allow it.
    case refused(String)
    /// There is nothing at the path.
    case missing
    /// The request itself is not taken; with what the server says of it, for the engine to tell why.
    case rejected(String)
    /// Later, perhaps: sealed, standby, overloaded; with how many milliseconds it asks for.
    case unreachable(String, wait: UInt64?)
    /// The deployment's own grants or configuration.
    case misconfigured(String)
    /// The host's egress has no answer.
    case transport(PluginError)

    /// Reads an answer that is not 200 or 204.
    init(_ answer: HostFetchResponse) {
        let wait = answer.headers.first { $0.name.lowercased() == "retry-after" }
            .flatMap { UInt64($0.value) }.map { min($0, 3600) * 1000 }
        switch answer.status {
        case 400: self = .rejected(Self.errors(answer.body))
        case 403: self = .refused("its credentials do not count or do not allow it")
        case 404: self = .missing
        case 412: self = .unreachable("it has not caught up", wait: wait)
        case 429: self = .unreachable("it asks for a pause", wait: wait ?? 1000)
        case 472, 473: self = .unreachable("it is a standby", wait: wait)
        case 300...399: self = .unreachable("it is a standby that does not forward", wait: wait)
        case 501: self = .unreachable("it is not initialised", wait: wait)
        case 503:
            self = .unreachable(
                Self.errors(answer.body).contains("sealed") ? "it is sealed" : "it serves nothing now", wait: wait)
        case 500...: self = .unreachable("status \(answer.status)", wait: wait)
        default: self = .misconfigured("status \(answer.status), which is not one of this API")
        }
    }

    /// What the server says, for telling one cause from another only.
    private static func errors(_ body: Data) -> String {
        do {
            return try JSONValue(json: body)["errors"]?.array?.compactMap(\.string).joined(separator: "; ").lowercased()
                ?? ""
        } catch {
            return ""
        }
    }
}
