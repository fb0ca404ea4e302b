// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// The culture pack of Bianjing: describes, judges, enriches and exports; deterministic, without input or output.
struct Bianjing: Plugin, CulturePackContract {
    /// The four operations of a pack.
    static var operations: [TheatrePlugin.Operation<Bianjing>] { culturePackOperations }

    private let judge = PackJudge()

    /// Longest text that is judged, in Unicode scalars.
    static let longestText = 200_000

    init(_ host: PluginHost, _ configuration: BianjingConfiguration) throws {}

    /// A pack that cannot find its own first rule is not fit to judge.
    func selfTest() async throws {
        guard judge.judge("辣椒").findings.count == 1, judge.judge("州桥夜市").findings.isEmpty else {
            throw PluginError(
                .internal, "bianjing.self_test", "The pack's own rules do not hold; install the plugin again.")
        }
    }

    func describe(_ request: CultureDescribeRequest, _ call: Call) async throws -> CultureDescription {
        guard ["", "zh", "zh-Hans", "zh-Hant", "en"].contains(request.language) else {
            throw BianjingError.language(request.language)
        }
        return PackMessages.description(isEnglish: request.language == "en")
    }

    func validate(_ request: CultureValidateRequest, _ call: Call) async throws -> CultureValidateResponse {
        try Self.check(request.text, "/text")
        return PackMessages.response(judge.judge(request.text), isEnglish: !PackMessages.isChinese(request.text))
    }

    func enrich(_ request: CultureEnrichRequest, _ call: Call) async throws -> CultureEnrichResponse {
        try Self.check(request.prompt, "/prompt")
        guard request.stage.isEmpty || Stages.all.contains(where: { $0.id == request.stage }) else {
            throw BianjingError.stage(request.stage)
        }
        let limit = request.maxAdded == 0 ? PackEnricher.defaultLimit : Int(min(request.maxAdded, 200_000))
        let added = PackEnricher(judge: judge).additions(to: request.prompt, stage: request.stage, limit: limit)
        var response = CultureEnrichResponse()
        response.added = added
        response.prompt = ([request.prompt] + added).joined(separator: "\n")
        return response
    }

    func export(_ request: CultureExportRequest, _ call: Call) async throws -> CultureExportResponse {
        var response = CultureExportResponse()
        switch request.target {
        case "markdown":
            response.contentType = "text/markdown; charset=utf-8"
            response.document = Data(PackMarkdown.write().utf8)
        case "json":
            response.contentType = "application/json"
            response.document = Data(try PackMessages.json().utf8)
        default: throw BianjingError.target(request.target)
        }
        return response
    }

    private static func check(_ text: String, _ pointer: String) throws {
        guard text.unicodeScalars.count <= longestText else { throw BianjingError.tooLong(pointer) }
    }
}
