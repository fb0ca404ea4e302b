// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// What a culture pack may do wrong.
enum CultureFault: Sendable {
    case hasNoName, hasATwin, looksForNothing, isSevereItsOwnWay, knowsEachLanguage
    case missesTheLast, missesOtherWords, countsUnits, countsBytes, quotesOtherwise, isMilderThanItSays
    case findsWhatIsNotThere, hasTwoMinds, isOfAnotherVersion, isOutOfOrder
    case losesThePrompt, addsTooMuch, claimsAdditions, exportsToAnything, exportsNothing, exportsNoJSON
}

/// A pack of a few rules, with a fault or none.
struct FaultyCulture {
    let host = TestHost()
    private static let words = [["potato", "土豆"], ["clock", "钟表"], ["train", "火车"]]

    var subject: CultureSubject { CultureSubject(client: CulturePackClient(host.scope(), feature: "culture")) }

    init(_ fault: CultureFault?) {
        host.fake("culture", "Describe") { (request: CultureDescribeRequest, _) in
            guard ["", "en", "zh"].contains(request.language) || fault == .knowsEachLanguage else {
                throw PluginError(.invalidArgument, "culture.language", "The pack knows en and zh.")
            }
            return Self.description(fault)
        }
        let calls = Shared(0)
        host.fake("culture", "Validate") { (request: CultureValidateRequest, _) in
            let count = calls.with { calls in
                calls += 1
                return calls
            }
            return Self.judge(request.text, fault, count)
        }
        host.fake("culture", "Enrich") { (request: CultureEnrichRequest, _) in
            let most = request.maxAdded == 0 ? 1200 : Int(request.maxAdded)
            let addition = String("，灯火、茶坊、瓦子".prefix(fault == .addsTooMuch ? 400 : min(most, 9)))
            return CultureEnrichResponse.with {
                let more = fault == .addsTooMuch ? String(repeating: "灯", count: most) : ""
                $0.prompt = (fault == .losesThePrompt ? "夜市" : request.prompt) + addition + more
                $0.added = [fault == .claimsAdditions ? "a river" : addition]
            }
        }
        host.fake("culture", "Export") { (request: CultureExportRequest, _) in
            guard ["json", "markdown"].contains(request.target) || fault == .exportsToAnything else {
                throw PluginError(.invalidArgument, "culture.target", "There are json and markdown.")
            }
            return CultureExportResponse.with {
                $0.contentType = request.target == "json" ? "application/json" : "text/markdown"
                $0.document = Data((fault == .exportsNoJSON ? "{" : fault == .exportsNothing ? "" : "{}").utf8)
            }
        }
    }

    private static func description(_ fault: CultureFault?) -> CultureDescription {
        .with {
            $0.id = "few"
            $0.version = "1"
            $0.name = fault == .hasNoName ? "" : "Few"
            $0.taboos = words.map { words in
                .with {
                    $0.code = fault == .hasATwin ? "rule" : "rule.\(words[0])"
                    $0.patterns = fault == .looksForNothing ? [] : words
                    $0.severity = fault == .isSevereItsOwnWay ? "fatal" : "violation"
                    $0.reason = "It came later."
                }
            }
        }
    }

    private static func judge(_ text: String, _ fault: CultureFault?, _ count: Int) -> CultureValidateResponse {
        var findings: [CultureFinding] = []
        let known = fault == .missesTheLast ? Array(words.dropLast()) : words
        for words in known {
            for word in fault == .missesOtherWords ? Array(words.prefix(1)) : words {
                guard let range = text.firstRange(of: word) else { continue }
                findings.append(
                    .with {
                        $0.code = "rule.\(words[0])"
                        $0.severity = fault == .isMilderThanItSays ? "warning" : "violation"
                        $0.quote = fault == .quotesOtherwise ? "?" : word
                        $0.start = distance(text[..<range.lowerBound], fault)
                        $0.end = distance(text[..<range.upperBound], fault)
                    })
            }
        }
        findings.sort { $0.start < $1.start }
        if fault == .isOutOfOrder { findings.reverse() }
        if fault == .hasTwoMinds, count.isMultiple(of: 2) { findings = [] }
        if fault == .findsWhatIsNotThere, findings.isEmpty { findings.append(.with { $0.code = "rule.potato" }) }
        return .with {
            $0.findings = findings
            $0.version = fault == .isOfAnotherVersion ? "0" : "1"
        }
    }

    private static func distance(_ text: Substring, _ fault: CultureFault?) -> UInt32 {
        switch fault {
        case .countsUnits: UInt32(text.utf16.count)
        case .countsBytes: UInt32(text.utf8.count)
        default: UInt32(text.unicodeScalars.count)
        }
    }
}

struct CultureSuiteTests {
    private static let breaches: [Breach<CultureFault>] = [
        Breach(.hasNoName, "thePackDescribesItself", "no id, version or name"),
        Breach(.hasATwin, "thePackDescribesItself", "Two taboos have one code"),
        Breach(.looksForNothing, "thePackDescribesItself", "A taboo looks for nothing"),
        Breach(.isSevereItsOwnWay, "thePackDescribesItself", "A severity is none of the contract's"),
        Breach(.knowsEachLanguage, "anUnknownLanguageIsRefused", "The language tlh succeeded"),
        Breach(.missesTheLast, "everyTabooIsFoundWhereItStands", "rule.train was not found"),
        Breach(.missesOtherWords, "everyTabooIsFoundWhereItStands", "rule.potato was not found"),
        Breach(.countsUnits, "everyTabooIsFoundWhereItStands", "quotes other words than stand there"),
        Breach(.countsBytes, "everyTabooIsFoundWhereItStands", "stands beyond the text"),
        Breach(.quotesOtherwise, "everyTabooIsFoundWhereItStands", "quotes other words than stand there"),
        Breach(.isMilderThanItSays, "everyTabooIsFoundWhereItStands", "a violation in the pack and a warning"),
        Breach(.findsWhatIsNotThere, "whereThereIsNothingNothingIsFound", "were found in"),
        Breach(.hasTwoMinds, "aJudgementIsTheSameEachTime", "judged twice and differently"),
        Breach(.isOfAnotherVersion, "aJudgementIsTheSameEachTime", "of version 0, the pack of 1"),
        Breach(.isOutOfOrder, "aJudgementIsTheSameEachTime", "not in order of place"),
        Breach(.losesThePrompt, "enrichingKeepsThePromptAndItsBound", "The prompt was lost"),
        Breach(.addsTooMuch, "enrichingKeepsThePromptAndItsBound", "characters were added where"),
        Breach(.claimsAdditions, "enrichingKeepsThePromptAndItsBound", "said to be added is not in the prompt"),
        Breach(.exportsToAnything, "thePackIsExportedForOtherPrograms", "An export to punched cards succeeded"),
        Breach(.exportsNothing, "thePackIsExportedForOtherPrograms", "The export to json is empty"),
        Breach(.exportsNoJSON, "thePackIsExportedForOtherPrograms", "The export to json is none"),
    ]

    @Test(arguments: CultureSuite.cases) func aSoundPackPasses(_ rule: SuiteCase<CultureSubject>) async throws {
        try await rule.run(FaultyCulture(nil).subject)
    }

    @Test(arguments: breaches) func aBreachIsNoticed(_ breach: Breach<CultureFault>) async throws {
        try await breach.isNoticed(by: CultureSuite.cases, FaultyCulture(breach.fault).subject)
    }
}
