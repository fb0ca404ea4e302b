// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts

/// Writes the pack for other programs, and for the steps of the studio.
struct PackExporter {
    let pack: PackDocument
    let language: String

    /// What there is to ask for.
    static let targets = ["json", "markdown", "02", "07", "10"]

    private var messages: PackMessages { PackMessages(pack: pack, language: language) }

    /// A document, or nil for a target that is not known.
    func export(_ target: String) throws -> CultureExportResponse? {
        switch target {
        case "json": try document(messages.description)
        case "markdown": markdown
        case "02": try document(planning)
        case "07": try document(prompting)
        case "10": try document(review)
        default: nil
        }
    }

    private var markdown: CultureExportResponse? {
        PackPhrases.byLanguage[language].map { phrases in
            .with {
                $0.contentType = "text/markdown; charset=utf-8"
                $0.document = Data(PackMarkdown(pack: pack, language: language, phrases: phrases).write().utf8)
            }
        }
    }

    private func document(_ message: some Message) throws -> CultureExportResponse {
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        let json = try message.jsonString(options: options)
        return .with {
            $0.contentType = "application/json"
            $0.document = Data(json.utf8)
        }
    }

    private var planning: CulturePlanningConstraints {
        .with {
            $0.pack = pack.id
            $0.version = pack.version
            $0.constraints = constraints { $0.severity == PackDocument.severities[0] }
            $0.stages = pack.stages.map(messages.message)
            $0.themes = pack.themes.map(messages.message)
        }
    }

    private var prompting: CulturePromptConstraints {
        .with {
            $0.pack = pack.id
            $0.version = pack.version
            $0.constraints = constraints { TextKinds(names: $0.kinds).contains(.prompt) }
            $0.avoid = pack.rules.filter { $0.kinds.contains(.prompt) }.flatMap(\.patterns)
            $0.prompts = pack.prompts.map(messages.message)
        }
    }

    private var review: CultureReviewChecklist {
        .with {
            $0.pack = pack.id
            $0.version = pack.version
            $0.constraints = constraints { _ in true }
            $0.items = PackDocument.severities.flatMap { severity in
                pack.rules.filter { $0.severity == severity }.map(item)
            }
        }
    }

    private func item(_ rule: PackRule) -> CultureReviewItem {
        .with {
            $0.code = rule.code
            $0.severity = rule.severity
            $0.group = rule.group
            $0.kinds = rule.kinds.kinds
            $0.reason = rule.reason.text(language)
            $0.patterns = rule.patterns
            $0.instead = rule.instead
        }
    }

    /// Every norm, and those taboos that are wanted.
    private func constraints(_ isWanted: (PackTaboo) -> Bool) -> CultureConstraints {
        let groups = Dictionary(grouping: pack.norms, by: \.group).mapValues { norms in
            norms.map { $0.text.text(language) }
        }
        return .with {
            $0.visualDo = groups["visual_do"] ?? []
            $0.visualDont = groups["visual_dont"] ?? []
            $0.signageRules = groups["signage_rules"] ?? []
            $0.costumeNorms = groups["costume_norms"] ?? []
            $0.propNorms = groups["prop_norms"] ?? []
            $0.namingRules = groups["naming_rules"] ?? []
            $0.taboo = pack.taboos.filter(isWanted).map { "\($0.reason.text(language)) → \($0.instead)" }
        }
    }
}
