// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import BaghdadEntry
import CulturePacks
import FoundationEssentials
import TheatreContracts
import TheatrePlugin

/// The culture pack of Baghdad, from the document that is embedded beside the manifest.
struct Baghdad: Plugin, CulturePackContract {
    /// The four operations of a pack.
    static var operations: [TheatrePlugin.Operation<Baghdad>] { culturePackOperations }

    /// Read once a process: nothing of it changes.
    static let loaded = Result {
        var size: UInt64 = 0
        let bytes = theatre_pack_Baghdad(&size)
        return try CulturePack(json: Data(UnsafeBufferPointer(start: bytes, count: Int(size))))
    }

    let pack: CulturePack

    init(_ host: PluginHost, _ configuration: BaghdadConfiguration) throws { pack = try Self.loaded.get() }

    func selfTest() async throws { try pack.selfTest() }

    func describe(_ request: CultureDescribeRequest, _ call: Call) async throws -> CultureDescription {
        try pack.describe(request)
    }

    func validate(_ request: CultureValidateRequest, _ call: Call) async throws -> CultureValidateResponse {
        try pack.validate(request)
    }

    func enrich(_ request: CultureEnrichRequest, _ call: Call) async throws -> CultureEnrichResponse {
        try pack.enrich(request)
    }

    func export(_ request: CultureExportRequest, _ call: Call) async throws -> CultureExportResponse {
        try pack.export(request)
    }
}
