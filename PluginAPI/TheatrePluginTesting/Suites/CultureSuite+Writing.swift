// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import TheatreContracts
internal import TheatrePlugin

extension CultureSuite {
    static let enriching: [SuiteCase<CultureSubject>] = [
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
        SuiteCase("everyStageIsKnownAndNoOther") { subject in
            let pack = try await subject.client.describe(CultureDescribeRequest())
            for stage in pack.stages {
                let rich = try await success("The stage \(stage.id), which the pack names, was refused") {
                    try await subject.client.enrich(
                        .with {
                            $0.prompt = "。"
                            $0.stage = stage.id
                        })
                }
                try demand(!rich.added.isEmpty, "The pack has nothing to say about its stage \(stage.id).")
            }
            let error = try await refusal("A stage on the far side of the moon") {
                try await subject.client.enrich(
                    .with {
                        $0.prompt = "。"
                        $0.stage = "far side of the moon"
                    })
            }
            try demand(error.code == .invalidArgument, "\(error.reason) is not INVALID_ARGUMENT.")
        },
    ]

    static let exporting: [SuiteCase<CultureSubject>] = [
        SuiteCase("thePackIsExportedForOtherPrograms") { subject in
            for target in ["json", "markdown", "02", "07", "10"] {
                let export = try await subject.client.export(.with { $0.target = target })
                try demand(!export.document.isEmpty && !export.contentType.isEmpty, "The export to \(target) is empty.")
            }
            let error = try await refusal("An export to punched cards") {
                try await subject.client.export(.with { $0.target = "punched cards" })
            }
            try demand(error.code == .invalidArgument, "\(error.reason) is not INVALID_ARGUMENT.")
        },
        SuiteCase("exportsSayWhatThePackSays") { subject in
            let pack = try await subject.client.describe(CultureDescribeRequest())
            let stages = pack.stages.map(\.id)
            let whole: CultureDescription = try await document("json", subject)
            try demand(whole == pack, "The export to json is another pack than Describe gives.")
            let plan: CulturePlanningConstraints = try await document("02", subject)
            try demand(
                plan.pack == pack.id && plan.version == pack.version && plan.stages.map(\.id) == stages,
                "The export to 02 is of another pack.")
            let prompts: CulturePromptConstraints = try await document("07", subject)
            let isOfPrompts = { (taboo: CultureTaboo) in taboo.kinds.isEmpty || taboo.kinds.contains(.prompt) }
            try demand(
                prompts.pack == pack.id && prompts.version == pack.version
                    && Set(prompts.avoid).isSuperset(of: pack.taboos.filter(isOfPrompts).flatMap(\.patterns)),
                "The export to 07 keeps out other words than the pack forbids in prompts.")
            let review: CultureReviewChecklist = try await document("10", subject)
            let judged = pack.taboos.map(\.code) + pack.norms.filter { !$0.patterns.isEmpty }.map(\.code)
            try demand(
                review.pack == pack.id && review.version == pack.version
                    && Set(review.items.map(\.code)) == Set(judged),
                "The export to 10 looks for other things than Validate.")
        },
    ]

    private static func document<M: Message>(_ target: String, _ subject: CultureSubject) async throws -> M {
        let export = try await subject.client.export(.with { $0.target = target })
        guard export.contentType.hasPrefix("application/json") else {
            throw SuiteFailure("The export to \(target) is none, or of type \(export.contentType).")
        }
        do { return try M(jsonUTF8Data: export.document) } catch {
            throw SuiteFailure("The export to \(target) is none, or of type \(export.contentType): \(error)")
        }
    }
}
