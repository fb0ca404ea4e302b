// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts

/// The pack and its judgements as messages.
enum PackMessages {
    /// Whether a text has Han characters.
    static func isChinese(_ text: String) -> Bool {
        text.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) }
    }

    static func description(isEnglish: Bool) -> CultureDescription {
        var description = CultureDescription()
        description.id = PackCard.id
        description.version = PackCard.version
        description.name = isEnglish ? PackCard.english : PackCard.name
        description.summary = isEnglish ? PackCard.englishSummary : PackCard.summary
        description.vocabulary = Vocabulary.all.map(message)
        description.norms = Norms.all.map { message($0, isEnglish) }
        description.taboos = Taboos.all.map { message($0, isEnglish) }
        description.stages = Stages.all.map { message($0, isEnglish) }
        return description
    }

    /// The pack with the field names of the contract.
    static func json() throws -> String {
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        return try description(isEnglish: false).jsonString(options: options)
    }

    static func response(_ judgement: Judgement, isEnglish: Bool) -> CultureValidateResponse {
        var response = CultureValidateResponse()
        response.findings = judgement.findings.map { message($0, isEnglish) }
        response.vocabulary = judgement.vocabulary.mapValues { UInt32(clamping: $0) }
        response.stages = judgement.stages
        response.version = PackCard.version
        return response
    }

    private static func message(_ finding: Judgement.Finding, _ isEnglish: Bool) -> CultureFinding {
        var message = CultureFinding()
        message.code = finding.taboo.code
        message.severity = finding.taboo.severity
        message.quote = finding.quote
        message.start = UInt32(clamping: finding.range.lowerBound)
        message.end = UInt32(clamping: finding.range.upperBound)
        message.reason = isEnglish ? finding.taboo.english : finding.taboo.reason
        message.instead = finding.taboo.instead
        return message
    }

    private static func message(_ term: PackTerm) -> CultureTerm {
        var message = CultureTerm()
        message.term = term.term
        message.meaning = term.meaning
        message.category = term.category
        message.source = term.source
        return message
    }

    private static func message(_ norm: PackNorm, _ isEnglish: Bool) -> CultureNorm {
        var message = CultureNorm()
        message.kind = norm.kind
        message.show = norm.show
        message.text = isEnglish ? norm.english : norm.text
        message.source = norm.source
        return message
    }

    private static func message(_ taboo: PackTaboo, _ isEnglish: Bool) -> CultureTaboo {
        var message = CultureTaboo()
        message.code = taboo.code
        message.patterns = taboo.patterns
        message.severity = taboo.severity
        message.reason = isEnglish ? taboo.english : taboo.reason
        message.instead = taboo.instead
        return message
    }

    private static func message(_ stage: PackStage, _ isEnglish: Bool) -> CultureStage {
        var message = CultureStage()
        message.id = stage.id
        message.name = isEnglish ? stage.english : stage.name
        message.description_p = stage.description
        message.details = stage.details
        message.hours = stage.hours
        message.source = stage.source
        return message
    }
}
