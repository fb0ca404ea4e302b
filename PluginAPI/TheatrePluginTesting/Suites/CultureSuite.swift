// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
public import TheatreContracts
internal import TheatreManifest
public import TheatrePlugin

/// A provider of `theatre.culture.v1.Pack`.
public struct CultureSubject: Sendable {
    /// Calls of the provider.
    public var client: CulturePackClient

    /// A provider to be tested.
    public init(client: CulturePackClient) { self.client = client }
}

/// What every culture pack does.
public enum CultureSuite {
    /// The cases; each wants a fresh subject.
    public static let cases: [SuiteCase<CultureSubject>] = [
        SuiteCase("thePackDescribesItself") { subject in
            let pack = try await subject.client.describe(CultureDescribeRequest())
            try demand(
                !pack.id.isEmpty && !pack.version.isEmpty && !pack.name.isEmpty, "The pack has no id, version or name.")
            try demand(
                pack.taboos.allSatisfy { !$0.patterns.isEmpty && !$0.reason.isEmpty }, "A taboo looks for nothing.")
            try demand(Set(pack.taboos.map(\.code)).count == pack.taboos.count, "Two taboos have one code.")
            try demand(Set(pack.stages.map(\.id)).count == pack.stages.count, "Two stages have one id.")
            try demand(
                pack.taboos.allSatisfy { ["violation", "warning", "suggestion"].contains($0.severity) },
                "A severity is none of the contract's.")
        },
        SuiteCase("anUnknownLanguageIsRefused") { subject in
            let error = try await refusal("The language tlh") {
                try await subject.client.describe(.with { $0.language = "tlh" })
            }
            try demand(error.code == .invalidArgument, "\(error.reason) is not INVALID_ARGUMENT.")
        },
        SuiteCase("everyTabooIsFoundWhereItStands") { subject in
            let pack = try await subject.client.describe(CultureDescribeRequest())
            for taboo in pack.taboos {
                for word in taboo.patterns {
                    // The first character is two units of UTF-16 and four bytes of UTF-8.
                    let text = "𠮷，他看见\(word)。"
                    let found = try await subject.client.validate(.with { $0.text = text })
                    guard let finding = found.findings.first(where: { $0.code == taboo.code }) else {
                        throw SuiteFailure("\(taboo.code) was not found in \(text)")
                    }
                    try demand(
                        finding.severity == taboo.severity,
                        "\(taboo.code) is a \(taboo.severity) in the pack and a \(finding.severity) in a text.")
                    try place(found, in: text)
                }
            }
        },
        SuiteCase("whereThereIsNothingNothingIsFound") { subject in
            for text in ["", "。"] {
                let found = try await subject.client.validate(.with { $0.text = text })
                try demand(found.findings.isEmpty, "\(found.findings.map(\.code)) were found in \"\(text)\".")
            }
        },
        SuiteCase("aJudgementIsTheSameEachTime") { subject in
            let pack = try await subject.client.describe(CultureDescribeRequest())
            let text = pack.taboos.prefix(5).compactMap(\.patterns.first).joined(separator: "，")
            let first = try await subject.client.validate(.with { $0.text = text })
            let second = try await subject.client.validate(.with { $0.text = text })
            try demand(first == second, "The same text was judged twice and differently.")
            try place(first, in: text)
            try demand(
                first.version == pack.version,
                "The judgement is of version \(first.version), the pack of \(pack.version).")
        },
        SuiteCase("enrichingKeepsThePromptAndItsBound") { subject in
            for bound: UInt32 in [0, 60, 400] {
                let rich = try await subject.client.enrich(
                    .with {
                        $0.prompt = "夜市里的一盏灯"
                        $0.maxAdded = bound
                    })
                try demand(rich.prompt.contains("夜市里的一盏灯"), "The prompt was lost.")
                let added = rich.prompt.unicodeScalars.count - 7
                let most = bound == 0 ? 1200 : Int(bound)
                try demand(added <= most, "\(added) characters were added where \(most) are allowed.")
                try demand(
                    rich.added.allSatisfy { rich.prompt.contains($0) }, "What is said to be added is not in the prompt."
                )
            }
        },
        SuiteCase("thePackIsExportedForOtherPrograms") { subject in
            for target in ["json", "markdown"] {
                let export = try await subject.client.export(.with { $0.target = target })
                try demand(!export.document.isEmpty && !export.contentType.isEmpty, "The export to \(target) is empty.")
                try demand(
                    target != "json" || export.isJSON, "The export to json is none, or of type \(export.contentType).")
            }
            let error = try await refusal("An export to punched cards") {
                try await subject.client.export(.with { $0.target = "punched cards" })
            }
            try demand(error.code == .invalidArgument, "\(error.reason) is not INVALID_ARGUMENT.")
        },
    ]

    /// Quotes stand where the findings say, in order.
    private static func place(_ judgement: CultureValidateResponse, in text: String) throws {
        let scalars = Array(text.unicodeScalars)
        var last: UInt32 = 0
        for finding in judgement.findings {
            guard finding.start <= finding.end, Int(finding.end) <= scalars.count else {
                throw SuiteFailure("\(finding.code) stands beyond the text.")
            }
            var quote = String.UnicodeScalarView()
            quote.append(contentsOf: scalars[Int(finding.start)..<Int(finding.end)])
            try demand(String(quote) == finding.quote, "\(finding.code) quotes other words than stand there.")
            try demand(finding.start >= last, "The findings are not in order of place.")
            last = finding.start
        }
    }
}

extension CultureExportResponse {
    fileprivate var isJSON: Bool {
        guard contentType.hasPrefix("application/json") else { return false }
        do { _ = try JSONValue(json: document) } catch { return false }
        return true
    }
}
