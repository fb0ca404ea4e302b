// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
import SwiftProtobuf
public import TheatreContracts
import TheatrePlugin

/// A culture pack that serves `theatre.culture.v1.Pack` from a document: deterministic, without input or output.
public struct CulturePack: Sendable {
    /// The pack as data.
    let document: PackDocument
    let judge: PackJudge

    /// Longest text that is judged, in Unicode scalars.
    public static let longestText = 200_000

    /// Reads a document and builds its search structures.
    ///
    /// - Throws: `culture.broken_document`.
    public init(json: Data) throws {
        do {
            document = try PackDocument(json: json)
        } catch {
            throw CultureError.brokenDocument("\(error)")
        }
        judge = PackJudge(document)
    }

    /// Checks the document: a pack that breaks its own form is not fit to judge.
    ///
    /// - Throws: `culture.broken_document` with the first fault.
    public func selfTest() throws {
        if let fault = document.faults().first { throw CultureError.brokenDocument("\(fault)") }
        for rule in judge.rules {
            guard let pattern = rule.patterns.first, let kind = TextKinds.each.first(where: rule.kinds.contains) else {
                continue
            }
            let found = judge.judge(pattern, as: kind).findings.first
            guard found.map({ judge.rules[$0.rule].code }) == rule.code, found?.quote == pattern else {
                throw CultureError.brokenDocument("\(rule.pointer): \(pattern) is not found where it stands alone.")
            }
        }
    }

    /// What the pack holds.
    public func describe(_ request: CultureDescribeRequest) throws -> CultureDescription {
        PackMessages(pack: document, language: try language(request.language)).description
    }

    /// What in a text does not belong.
    public func validate(_ request: CultureValidateRequest) throws -> CultureValidateResponse {
        try Self.check(request.text, "/text")
        let language = PackPhrases.language(of: request.text, among: document.languages)
        return PackMessages(pack: document, language: language)
            .response(judge.judge(request.text, as: TextKinds(request.kind)), judge.rules)
    }

    /// A prompt with what the pack knows added to it.
    public func enrich(_ request: CultureEnrichRequest) throws -> CultureEnrichResponse {
        try Self.check(request.prompt, "/prompt")
        guard request.stage.isEmpty || document.stages.contains(where: { $0.id == request.stage }) else {
            throw CultureError.stage(request.stage)
        }
        let limit =
            request.maxAdded == 0 ? PackEnricher.defaultLimit : min(Int(request.maxAdded), Self.longestText)
        let added = PackEnricher(judge: judge).additions(to: request.prompt, stage: request.stage, limit: limit)
        return .with {
            $0.added = added
            $0.prompt = ([request.prompt] + added).joined(separator: "\n")
        }
    }

    /// The pack, for another program.
    public func export(_ request: CultureExportRequest) throws -> CultureExportResponse {
        let exporter = PackExporter(pack: document, language: try language(request.language))
        guard let response = try exporter.export(request.target) else { throw CultureError.target(request.target) }
        return response
    }

    /// One of the pack's languages for what was asked for: `zh` for `zh-Hant`.
    private func language(_ asked: String) throws -> String {
        if asked.isEmpty, let own = document.languages.first { return own }
        let known = document.languages.first { asked == $0 || asked.hasPrefix("\($0)-") }
        guard let known else { throw CultureError.language(asked, document.languages) }
        return known
    }

    private static func check(_ text: String, _ pointer: String) throws {
        guard text.unicodeScalars.count <= longestText else { throw CultureError.tooLong(pointer) }
    }
}
