// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
import SwiftProtobuf
public import TheatreContracts
public import TheatrePlugin

/// What a sender asks of the host, with the errors of a notification channel.
public struct TextGateway {
    private let egress: HostEgressClient
    private let keys: HostKeysClient

    /// For one call.
    public init(_ scope: some CallScope) {
        egress = HostEgressClient(scope)
        keys = HostKeysClient(scope)
    }

    /// The provider's answer. Errors are those of ``TextError/transport(_:)``.
    public func fetch(_ request: HostFetchRequest) async throws -> HostFetchResponse {
        do { return try await egress.fetch(request) } catch let error as PluginError {
            throw TextError.transport(error)
        }
    }

    /// The MAC of a text by a key of the host. Whatever is wrong with the key is `notification.misconfigured`.
    public func mac(_ key: String, _ text: String) async throws -> Data {
        do {
            return try await keys.mac(
                .with {
                    $0.key = key
                    $0.data = Data(text.utf8)
                }
            ).mac
        } catch let error as PluginError where error.code != .cancelled {
            throw TextError.misconfigured(error.message)
        }
    }
}
