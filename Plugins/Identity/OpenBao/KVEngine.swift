// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// The KV engine, version 2, on behalf of one call (https://openbao.org/api-docs/secret/kv/kv-v2/).
struct KVEngine {
    private let server: BaoServer
    private let call: Call

    init(_ server: BaoServer, _ call: Call) {
        self.server = server
        self.call = call
    }

    /// The newest version of a field.
    func read(_ path: String, field: String) async throws -> SecretSourceReadResponse {
        guard Self.isPath(path) else { throw OpenBaoError.missing("that is no path") }
        let data: JSONValue
        do { data = try await server.data("GET", "\(server.configuration.kvMount)/data/\(path)", nil, call) } catch let
            fault as BaoFault
        {
            throw OpenBaoError.failure(fault, of: .kv)
        }
        guard let fields = data["data"]?.object, let version = data["metadata"]?["version"]?.integer else {
            throw OpenBaoError.refused("what it answers is not of a KV engine of version 2")
        }
        guard let value = fields[field]?.string else {
            throw OpenBaoError.missing("there is no text in field \(field)")
        }
        return .with {
            $0.value = Data(value.utf8)
            $0.version = UInt64(clamping: version)
        }
    }

    /// Parts of what a path of an API may have in the clear, none of them a step up.
    static func isPath(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return path.utf8.count <= 512
            && parts.allSatisfy { part in
                !part.isEmpty && part != "." && part != ".."
                    && part.utf8.allSatisfy {
                        (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                            || "._~-@+".utf8.contains($0)
                    }
            }
    }
}
