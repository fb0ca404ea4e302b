// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import TheatreContracts
internal import TheatrePlugin

extension CultureSuite {
    static let judging: [SuiteCase<CultureSubject>] = [
        SuiteCase("everyTabooIsFoundWhereItStands") { subject in
            let pack = try await subject.client.describe(CultureDescribeRequest())
            for taboo in pack.taboos {
                for word in taboo.patterns {
                    let kind = taboo.kinds.first ?? .prose
                    try await find(word, taboo.code, taboo.severity, as: kind, subject)
                }
            }
        },
        SuiteCase("normsAreJudgedInPromptsAndDesignsOnly") { subject in
            let pack = try await subject.client.describe(CultureDescribeRequest())
            for norm in pack.norms {
                for word in norm.patterns {
                    for kind in [CultureTextKind.prompt, .design] {
                        try await find(word, norm.code, norm.severity, as: kind, subject)
                    }
                    let story = try await subject.client.validate(.with { $0.text = word })
                    try demand(!story.findings.contains { $0.code == norm.code }, "\(norm.code) is judged in a story.")
                }
            }
        },
        SuiteCase("aRuleHoldsForItsKindsOnly") { subject in
            let pack = try await subject.client.describe(CultureDescribeRequest())
            for taboo in pack.taboos where !taboo.kinds.isEmpty {
                for kind in [CultureTextKind.prose, .prompt, .design] where !taboo.kinds.contains(kind) {
                    let found = try await subject.client.validate(
                        .with {
                            $0.text = taboo.patterns[0]
                            $0.kind = kind
                        })
                    try demand(
                        !found.findings.contains { $0.code == taboo.code }, "\(taboo.code) is found in another kind.")
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
        SuiteCase("findingsStandInOrderAndApart") { subject in
            let pack = try await subject.client.describe(CultureDescribeRequest())
            let rules = pack.taboos.flatMap(\.patterns) + pack.norms.flatMap(\.patterns)
            let noise = [" ", "。", "a", "\u{1F3EE}", "\u{301}", "\u{200D}", "\u{202E}", "\u{64E}", "\u{0}", "の", "ا"]
            var state: UInt64 = 920
            for round in 0..<12 {
                var text = ""
                for _ in 0..<40 {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    let pieces = (state >> 60) % 2 == 0 && !rules.isEmpty ? rules : noise
                    text.unicodeScalars.append(
                        contentsOf: pieces[Int((state >> 33) % UInt64(pieces.count))].unicodeScalars)
                }
                let found = try await subject.client.validate(
                    .with {
                        $0.text = text
                        $0.kind = [.prose, .prompt, .design][round % 3]
                    })
                try place(found, in: text)
            }
        },
        SuiteCase("theLongestTextIsJudgedAndALongerOneRefused") { subject in
            let longest = String(repeating: "。", count: 200_000)
            let found = try await success("A text of 200,000 characters was refused") {
                try await subject.client.validate(.with { $0.text = longest })
            }
            try demand(found.findings.isEmpty, "Something was found in a text of full stops.")
            let error = try await refusal("A text of 200,001 characters") {
                try await subject.client.validate(.with { $0.text = longest + "。" })
            }
            try demand(error.code == .invalidArgument, "\(error.reason) is not INVALID_ARGUMENT.")
        },
    ]

    private static func find(
        _ word: String, _ code: String, _ severity: String, as kind: CultureTextKind, _ subject: CultureSubject
    ) async throws {
        // The first character is two units of UTF-16 and four bytes of UTF-8.
        let text = "𠮷，他看见\(word)。"
        let found = try await subject.client.validate(
            .with {
                $0.text = text
                $0.kind = kind
            })
        guard let finding = found.findings.first(where: { $0.code == code }) else {
            throw SuiteFailure("\(code) was not found in \(text)")
        }
        try demand(
            finding.severity == severity, "\(code) is a \(severity) in the pack and a \(finding.severity) in a text.")
        try place(found, in: text)
    }

    /// Quotes stand where the findings say, in order and apart.
    private static func place(_ judgement: CultureValidateResponse, in text: String) throws {
        let scalars = Array(text.unicodeScalars)
        var last: CultureFinding?
        for finding in judgement.findings {
            guard finding.start <= finding.end, Int(finding.end) <= scalars.count else {
                throw SuiteFailure("\(finding.code) stands beyond the text.")
            }
            let quote = scalars[Int(finding.start)..<Int(finding.end)]
            try demand(
                quote.elementsEqual(finding.quote.unicodeScalars),
                "\(finding.code) quotes other words than stand there.")
            try demand(finding.start >= last?.start ?? 0, "The findings are not in order of place.")
            try demand(finding.start >= last?.end ?? 0, "\(finding.code) overlaps the finding before it.")
            last = finding
        }
    }
}
