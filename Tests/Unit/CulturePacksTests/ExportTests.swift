// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts

@testable import CulturePacks

/// What each audience of an export gets.
struct ExportTests {
    private func document(_ target: String) throws -> Data {
        try SmallPack.pack().export(.with { $0.target = target }).document
    }

    @Test func plannersGetEveryNormTheViolationsAndWhatScenesAreBuiltFrom() throws {
        let plan = try CulturePlanningConstraints(jsonUTF8Data: try document("02"))
        #expect(plan.pack == "small" && plan.version == "1")
        #expect(plan.constraints.visualDo == ["Show wells."] && plan.constraints.visualDont == ["No clouds."])
        #expect(plan.constraints.taboo == ["There is none. → water", "No. → shade"])
        #expect(plan.stages.map(\.id) == ["yard"])
        #expect(plan.themes.first?.gates.first?.options.first?.changes.first?.by == -2)
    }

    @Test func promptWritersGetTheWordsToKeepOut() throws {
        let prompts = try CulturePromptConstraints(jsonUTF8Data: try document("07"))
        #expect(prompts.avoid.contains("cloud") && prompts.avoid.contains("茶壶") && !prompts.avoid.contains("glow"))
        #expect(prompts.constraints.taboo.count == 2)
        #expect(prompts.prompts.map(\.id) == ["p"])
    }

    @Test func reviewersGetAllThatIsLookedForTheGravestFirst() throws {
        let review = try CultureReviewChecklist(jsonUTF8Data: try document("10"))
        #expect(review.items.map(\.code) == ["a.tea", "a.design", "a.drinks", "norm.clouds"])
        #expect(review.items.map(\.group) == ["taboo", "taboo", "taboo", "visual_dont"])
        #expect(
            review.items.map(\.kinds) == [
                [.prose, .prompt, .design], [.design], [.prose, .prompt, .design], [.prompt, .design],
            ])
        #expect(String(decoding: try document("10"), as: UTF8.self).contains("\"visual_dont\""))
    }
}
