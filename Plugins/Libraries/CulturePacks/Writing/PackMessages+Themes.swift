// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts

extension PackMessages {
    /// What stories of one sort turn on.
    func message(_ theme: PackTheme) -> CultureTheme {
        .with {
            $0.id = theme.id
            $0.name = theme.name.text(language)
            $0.summary = theme.summary.text(language)
            $0.gates = theme.gates.map(message)
            $0.evidence = theme.evidence.map(message)
            $0.variables = theme.variables.map(message)
        }
    }

    private func message(_ gate: PackTheme.Gate) -> CultureGateTemplate {
        .with {
            $0.id = gate.id
            $0.kind = gate.kind
            $0.question = gate.question.text(language)
            $0.options = gate.options.map(message)
            $0.evidence = gate.evidence
            $0.explanation = gate.explanation.text(language)
        }
    }

    private func message(_ option: PackTheme.Option) -> CultureGateOption {
        .with {
            $0.id = option.id
            $0.text = option.text.text(language)
            $0.changes = option.changes.sorted { $0.key < $1.key }.map { variable, by in
                CultureVariableChange.with {
                    $0.variable = variable
                    $0.by = by
                }
            }
        }
    }

    private func message(_ item: PackTheme.Evidence) -> CultureEvidenceType {
        .with {
            $0.id = item.id
            $0.name = item.name.text(language)
            $0.category = item.category
            $0.tier = item.tier
            $0.forgeability = item.forgeability
            $0.lastsHours = item.hours
            $0.verifiedBy = item.verified.text(language)
        }
    }

    private func message(_ variable: PackTheme.Variable) -> CultureWorldVariable {
        .with {
            $0.id = variable.id
            $0.name = variable.name.text(language)
            $0.meaning = variable.meaning.text(language)
            $0.least = variable.least
            $0.most = variable.most
            $0.start = variable.start
            $0.step = variable.step
        }
    }
}
