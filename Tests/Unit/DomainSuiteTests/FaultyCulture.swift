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
    case overlaps, judgesNorms, judgesEachKind, missesNorms, judgesAnyLength, namesNoLanguage, weighsNothing
    case knowsEachStage, hasNoStage, exportsAnother, forgetsWords, forgetsARule
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
            guard request.text.unicodeScalars.count <= 200_000 || fault == .judgesAnyLength else {
                throw PluginError(.invalidArgument, "culture.too_long", "The text is too long.")
            }
            return Self.judge(request, fault, count)
        }
        host.fake("culture", "Enrich") { (request: CultureEnrichRequest, _) in
            guard ["", "yard"].contains(request.stage) || fault == .knowsEachStage else {
                throw PluginError(.invalidArgument, "culture.stage", "There is one stage.")
            }
            if request.stage == "yard", fault == .hasNoStage {
                return CultureEnrichResponse.with { $0.prompt = request.prompt }
            }
            let most = request.maxAdded == 0 ? 1200 : Int(request.maxAdded)
            let addition = String("，灯火、茶坊、瓦子".prefix(fault == .addsTooMuch ? 400 : min(most, 9)))
            return CultureEnrichResponse.with {
                let more = fault == .addsTooMuch ? String(repeating: "灯", count: most) : ""
                $0.prompt = (fault == .losesThePrompt ? "夜市" : request.prompt) + addition + more
                $0.added = [fault == .claimsAdditions ? "a river" : addition]
            }
        }
        host.fake("culture", "Export") { (request: CultureExportRequest, _) in
            try Self.export(request.target, fault)
        }
    }

    private static func export(_ target: String, _ fault: CultureFault?) throws -> CultureExportResponse {
        let pack = description(fault == .exportsAnother ? .hasATwin : fault)
        let text: String
        switch target {
        case "json": text = try pack.jsonString()
        case "markdown": text = "# Few"
        case "02":
            text = try CulturePlanningConstraints.with {
                $0.pack = pack.id
                $0.version = pack.version
                $0.stages = pack.stages
            }.jsonString()
        case "07":
            text = try CulturePromptConstraints.with {
                $0.pack = pack.id
                $0.version = pack.version
                $0.avoid = Array(pack.taboos.flatMap(\.patterns).dropFirst(fault == .forgetsWords ? 1 : 0))
            }.jsonString()
        case "10":
            let codes = pack.taboos.map(\.code) + pack.norms.map(\.code)
            text = try CultureReviewChecklist.with {
                $0.pack = pack.id
                $0.version = pack.version
                $0.items = codes.dropFirst(fault == .forgetsARule ? 1 : 0).map { code in .with { $0.code = code } }
            }.jsonString()
        default:
            guard fault == .exportsToAnything else {
                throw PluginError(.invalidArgument, "culture.target", "There is no such target.")
            }
            text = "{}"
        }
        return .with {
            $0.contentType = target == "markdown" ? "text/markdown" : "application/json"
            $0.document = Data((fault == .exportsNoJSON ? "{" : fault == .exportsNothing ? "" : text).utf8)
        }
    }

    private static func description(_ fault: CultureFault?) -> CultureDescription {
        .with {
            $0.id = "few"
            $0.version = "1"
            $0.name = fault == .hasNoName ? "" : "Few"
            $0.languages = fault == .namesNoLanguage ? [] : ["en", "zh"]
            $0.stages = [.with { $0.id = "yard" }]
            $0.norms = [
                .with {
                    $0.code = "norm.neon"
                    $0.patterns = ["neon"]
                    $0.severity = "warning"
                }
            ]
            $0.themes = [
                .with {
                    $0.gates = [
                        .with {
                            $0.options = [CultureGateOption(), CultureGateOption()]
                            $0.evidence = [fault == .weighsNothing ? "cap" : "cup"]
                        }
                    ]
                    $0.evidence = [.with { $0.id = "cup" }]
                }
            ]
            $0.taboos = words.map { words in
                .with {
                    $0.code = fault == .hasATwin ? "rule" : "rule.\(words[0])"
                    $0.patterns = fault == .looksForNothing ? [] : words
                    $0.severity = fault == .isSevereItsOwnWay ? "fatal" : "violation"
                    $0.reason = "It came later."
                    $0.kinds = words[0] == "train" ? [.prose] : []
                }
            }
        }
    }

    private static func judge(
        _ request: CultureValidateRequest, _ fault: CultureFault?, _ count: Int
    ) -> CultureValidateResponse {
        let text = request.text
        var findings: [CultureFinding] = []
        let isStory = request.kind == .prose || request.kind == .unspecified
        var known = fault == .missesTheLast ? Array(words.dropLast()) : words
        if !isStory, fault != .judgesEachKind { known = Array(known.prefix(2)) }
        if fault == .judgesNorms || !isStory && fault != .missesNorms { known.append(["norm.neon", "neon"]) }
        for words in known {
            for word in fault == .missesOtherWords ? Array(words.prefix(1)) : words {
                // Nothing of what is looked for is within another.
                for range in text.ranges(of: word) {
                    findings.append(
                        .with {
                            $0.code = words[0].hasPrefix("norm.") ? words[0] : "rule.\(words[0])"
                            $0.severity =
                                fault == .isMilderThanItSays || words[0].hasPrefix("norm.") ? "warning" : "violation"
                            $0.quote = fault == .quotesOtherwise ? "?" : word
                            $0.start = distance(text[..<range.lowerBound], fault)
                            $0.end = distance(text[..<range.upperBound], fault)
                        })
                }
            }
        }
        findings.sort { $0.start < $1.start }
        if fault == .overlaps { findings = findings.flatMap { [$0, $0] } }
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
        Breach(.exportsNoJSON, "exportsSayWhatThePackSays", "The export to json is none"),
        Breach(.exportsAnother, "exportsSayWhatThePackSays", "another pack than Describe gives"),
        Breach(.forgetsWords, "exportsSayWhatThePackSays", "keeps out other words"),
        Breach(.forgetsARule, "exportsSayWhatThePackSays", "looks for other things"),
        Breach(.overlaps, "findingsStandInOrderAndApart", "overlaps the finding before it"),
        Breach(.judgesNorms, "normsAreJudgedInPromptsAndDesignsOnly", "is judged in a story"),
        Breach(.missesNorms, "normsAreJudgedInPromptsAndDesignsOnly", "norm.neon was not found"),
        Breach(.judgesEachKind, "aRuleHoldsForItsKindsOnly", "is found in another kind"),
        Breach(.judgesAnyLength, "theLongestTextIsJudgedAndALongerOneRefused", "200,001 characters succeeded"),
        Breach(.namesNoLanguage, "thePackSpeaksTheLanguagesItNames", "names no language"),
        Breach(.weighsNothing, "themesHoldTogether", "weighs evidence that is not there"),
        Breach(.knowsEachStage, "everyStageIsKnownAndNoOther", "far side of the moon succeeded"),
        Breach(.hasNoStage, "everyStageIsKnownAndNoOther", "has nothing to say"),
    ]

    @Test(arguments: CultureSuite.cases) func aSoundPackPasses(_ rule: SuiteCase<CultureSubject>) async throws {
        try await rule.run(FaultyCulture(nil).subject)
    }

    @Test(arguments: breaches) func aBreachIsNoticed(_ breach: Breach<CultureFault>) async throws {
        try await breach.isNoticed(by: CultureSuite.cases, FaultyCulture(breach.fault).subject)
    }
}
