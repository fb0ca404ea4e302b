// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin

/// Says which generation it is and how many calls were served, with those before it where they were handed over.
struct Edition: Plugin, HTTPHandlerContract, HostHandoverContract {
    static var operations: [Operation<Edition>] { httpHandlerOperations + hostHandoverOperations }

    private let host: PluginHost
    private let configuration: EditionConfiguration
    private let served = Counter()

    init(_ host: PluginHost, _ configuration: EditionConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    func selfTest() async throws {
        guard configuration.isSound else {
            throw PluginError(.internal, "edition.unsound", "It was told to fail its self-test.")
        }
    }

    func handle(_ request: HTTPRequest, _ call: Call) async throws -> HTTPResponse {
        call.host.log.debug("served", ["generation": "\(host.generation)"])
        return .with {
            $0.status = 200
            $0.contentType = "text/plain; charset=utf-8"
            $0.body = Data("\(host.generation) \(served.add(1))".utf8)
        }
    }

    func exportState(_ request: HostExportStateRequest, _ call: Call) async throws -> HostHandedState {
        guard !configuration.format.isEmpty else {
            throw PluginError(.failedPrecondition, "edition.no_state", "It was told to hand nothing over.")
        }
        return .with {
            $0.format = configuration.format
            $0.data = Data("\(served.add(0)) ".utf8) + Data(repeating: 0x78, count: configuration.ballast)
        }
    }

    func importState(_ request: HostHandedState, _ call: Call) async throws -> HostImportStateResponse {
        let parts = request.data.split(separator: 0x20, maxSplits: 1, omittingEmptySubsequences: false)
        guard request.format == configuration.format, parts.count == 2,
            let count = Int(String(decoding: parts[0], as: UTF8.self)), parts[1].count == configuration.ballast,
            parts[1].allSatisfy({ $0 == 0x78 })
        else {
            throw PluginError(.internal, "edition.bad_state", "The state cannot be read.")
        }
        _ = served.add(count)
        return HostImportStateResponse()
    }
}

/// Counts what was served.
private final class Counter: Sendable {
    private let value = Atomic(0)
    func add(_ count: Int) -> Int { value.wrappingAdd(count, ordering: .relaxed).newValue }
}

/// What it is told.
struct EditionConfiguration: Decodable, Sendable {
    /// It passes its self-test.
    var isSound: Bool
    /// Of the state that it hands over and takes; empty: it hands none over.
    var format: String
    /// Bytes that are handed over beside the count.
    var ballast: Int

    private enum CodingKeys: String, CodingKey {
        case isSound = "is_sound"
        case format, ballast
    }
}
