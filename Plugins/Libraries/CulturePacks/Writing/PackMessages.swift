// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts

/// The pack and its judgements as messages, in one language.
struct PackMessages {
    let pack: PackDocument
    let language: String

    /// The whole pack.
    var description: CultureDescription {
        CultureDescription.with {
            $0.id = pack.id
            $0.version = pack.version
            $0.name = pack.name.text(language)
            $0.summary = pack.summary.text(language)
            $0.vocabulary = pack.vocabulary.map(message)
            $0.norms = pack.norms.map(message)
            $0.taboos = pack.taboos.map(message)
            $0.stages = pack.stages.map(message)
            $0.themes = pack.themes.map(message)
            $0.prompts = pack.prompts.map(message)
            $0.languages = pack.languages
        }
    }

    private func message(_ term: PackTerm) -> CultureTerm {
        .with {
            $0.term = term.term
            $0.meaning = term.meaning
            $0.category = term.category
            $0.source = term.source
        }
    }

    private func message(_ norm: PackNorm) -> CultureNorm {
        .with {
            $0.kind = norm.kind
            $0.show = norm.show
            $0.text = norm.text.text(language)
            $0.source = norm.source
            $0.code = norm.judged?.code ?? ""
            $0.patterns = norm.judged?.patterns ?? []
            $0.severity = norm.judged?.severity ?? ""
            $0.instead = norm.judged?.instead ?? ""
        }
    }

    private func message(_ taboo: PackTaboo) -> CultureTaboo {
        .with {
            $0.code = taboo.code
            $0.patterns = taboo.patterns
            $0.severity = taboo.severity
            $0.reason = taboo.reason.text(language)
            $0.instead = taboo.instead
            $0.kinds = taboo.kinds == nil ? [] : TextKinds(names: taboo.kinds).kinds
        }
    }

    /// A place where a scene can stand.
    func message(_ stage: PackStage) -> CultureStage {
        .with {
            $0.id = stage.id
            $0.name = stage.name.text(language)
            $0.description_p = stage.description.text(language)
            $0.details = stage.details.texts(language)
            $0.hours = stage.hours
            $0.source = stage.source
        }
    }

    /// A prompt to begin from.
    func message(_ prompt: PackPrompt) -> CulturePromptTemplate {
        .with {
            $0.id = prompt.id
            $0.purpose = prompt.purpose
            $0.text = prompt.text.text(language)
        }
    }

    /// What was found in a text.
    func response(_ judgement: Judgement, _ rules: [PackRule]) -> CultureValidateResponse {
        .with {
            $0.findings = judgement.findings.map { message($0, rules[$0.rule]) }
            $0.vocabulary = judgement.vocabulary.mapValues { UInt32(clamping: $0) }
            $0.stages = judgement.stages
            $0.version = pack.version
        }
    }

    private func message(_ finding: Judgement.Finding, _ rule: PackRule) -> CultureFinding {
        .with {
            $0.code = rule.code
            $0.severity = rule.severity
            $0.quote = finding.quote
            $0.start = UInt32(clamping: finding.range.lowerBound)
            $0.end = UInt32(clamping: finding.range.upperBound)
            $0.reason = rule.reason.text(language)
            $0.instead = rule.instead
        }
    }
}
