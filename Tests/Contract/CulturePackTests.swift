// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Runtime
import Staging
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// Culture packs as they were built, in Swift and in C: what is behind the seam makes no difference.
@Suite(.serialized) struct CulturePackTests {
    static let packs = ["Baghdad", "Bianjing", "PackInC"]

    @Test(arguments: CultureSuite.cases)
    func aPackInCKeepsTheSuiteOfPacks(_ rule: SuiteCase<CultureSubject>) async throws {
        let host = TestHost()
        let library = URL(filePath: "\(BuiltPlugins.folder)/libPackInC.so")
        try await host.install(.file(library), instance: "pack")
        host.route("culture", to: "pack")
        try await rule.run(CultureSubject(client: CulturePackClient(host.scope(), feature: "culture")))
    }

    private func call<Request: Message, Response: Message>(
        _ stage: Stage, _ operation: String, _ request: Request, _ response: Response.Type
    ) throws -> Response {
        let answer = try stage.call("pack", "theatre.culture.v1.Pack/\(operation)", request.serializedBytes())
        #expect(answer.error == nil)
        return try Response(serializedBytes: answer.payload)
    }

    @Test(arguments: packs) func theHostCallsEachTheSameWay(_ plugin: String) throws {
        let stage = try Stage()
        try stage.start([try Stage.plan(plugin, "pack", .inproc)])
        defer { stage.stop() }
        let pack = try call(stage, "Describe", CultureDescribeRequest(), CultureDescription.self)
        let taboo = try #require(pack.taboos.first { $0.severity == "violation" && $0.kinds.isEmpty })
        let word = try #require(taboo.patterns.first)
        let judged = try call(
            stage, "Validate", CultureValidateRequest.with { $0.text = "🏮 \(word) 🏮" }, CultureValidateResponse.self)
        let finding = try #require(judged.findings.first)
        #expect(judged.findings.count == 1)
        #expect(finding.code == taboo.code && finding.quote == word)
        #expect(finding.start == 2 && Int(finding.end) == 2 + word.unicodeScalars.count)
        let stageID = try #require(pack.stages.first?.id)
        let rich = try call(
            stage, "Enrich",
            CultureEnrichRequest.with {
                $0.prompt = "A prompt."
                $0.stage = stageID
            }, CultureEnrichResponse.self)
        #expect(rich.prompt.hasPrefix("A prompt.") && !rich.added.isEmpty)
        let review = try call(
            stage, "Export", CultureExportRequest.with { $0.target = "10" }, CultureExportResponse.self)
        #expect(try CultureReviewChecklist(jsonUTF8Data: review.document).items.contains { $0.code == taboo.code })
        let refused = try stage.call(
            "pack", "theatre.culture.v1.Pack/Export",
            CultureExportRequest.with { $0.target = "punched cards" }.serializedBytes())
        #expect(refused.error?.reason == "culture.target_unknown")
        #expect(refused.error?.code == .invalidArgument)
        // No text in protobuf is broken UTF-8, whatever the library makes of bytes.
        let broken = try stage.call("pack", "theatre.culture.v1.Pack/Validate", [0x0A, 2, 0xC3, 0x28])
        #expect(broken.error?.code == .invalidArgument)
    }
}
