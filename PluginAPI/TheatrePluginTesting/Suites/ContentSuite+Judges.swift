// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
internal import TheatreContracts
internal import TheatreManifest
internal import TheatrePlugin

extension ContentSuite {
    /// Rerank, moderation, and what a provider says of itself.
    static let judges: [SuiteCase<ContentSubject>] = [
        SuiteCase("documentsComeBestFirst") { subject in
            guard let rerank = subject.rerank else { return }
            let documents = ["粮船过闸", "The lamp hangs at the bridge", "樊楼的影戏好看"]
            let answer = try await rerank.rank(
                .with { ($0.query, $0.documents) = ("Where does the lamp hang?", documents) })
            try demand(
                Set(answer.items.map(\.index)) == [0, 1, 2] && answer.items.count == 3, "Not each has one place.")
            try demand(answer.items[0].index == 1, "Document \(answer.items[0].index) came first.")
            try demand(
                answer.items.allSatisfy { (0...1).contains($0.score) }
                    && zip(answer.items, answer.items.dropFirst()).allSatisfy { $0.score >= $1.score },
                "Scores are beyond 0 to 1, or not in order.")
            try demand(answer.usage.documents == 3 && !answer.model.isEmpty, "The usage or the model is missing.")
            let best = try await rerank.rank(
                .with { ($0.query, $0.documents, $0.top) = ("Where does the lamp hang?", documents, 1) })
            try demand(best.items.map(\.index) == [1], "One was asked for, and \(best.items.count) came.")
        },
        SuiteCase("nothingToRankIsRefused") { subject in
            guard let rerank = subject.rerank else { return }
            for request in [ContentRankRequest.with { $0.query = "lamp" }, .with { $0.documents = ["lamp"] }] {
                let error = try await refusal("Nothing to rank") { try await rerank.rank(request) }
                try demand(error.code == .invalidArgument, "\(error.reason) is not INVALID_ARGUMENT.")
            }
        },
        SuiteCase("eachTextIsJudgedInOrder") { subject in
            guard let moderation = subject.moderation else { return }
            let texts = ["The lamp hangs at the bridge.", "I want to kill myself, I want to die.", "灯下的影戏。"]
            let answer = try await moderation.classify(.with { $0.texts = texts })
            try demand(answer.items.map(\.isFlagged) == [false, true, false], "\(answer.items.map(\.isFlagged))")
            for item in answer.items {
                try demand(item.isFlagged == item.categories.contains(where: \.isFlagged), "A flag has no category.")
                try demand(item.categories.allSatisfy { (0...1).contains($0.score) }, "A score is beyond 0 to 1.")
            }
            try demand(
                answer.items[1].categories.contains { $0.category == "self_harm" && $0.isFlagged }, "Not self_harm.")
            try demand(!answer.model.isEmpty, "The answer does not say which model gave it.")
            let error = try await refusal("Nothing to judge") {
                try await moderation.classify(ContentClassifyRequest())
            }
            try demand(error.code == .invalidArgument, "\(error.reason) is not INVALID_ARGUMENT.")
        },
        SuiteCase("itsConfigurationIsTriedWithoutARequest") { subject in
            guard let provider = subject.provider else { return }
            let found = try await provider.probe(.with { $0.tier = .configuration })
            try demand(found.ok && found.latencyMs == 0 && !found.evidence.isEmpty, "\(found)")
            try demand(found.balance.state == .unspecified, "A balance is told that nobody asked for.")
            let error = try await refusal("A probe of no tier") { try await provider.probe(ContentProbeRequest()) }
            try demand(error.reason == "content.bad_probe", "\(error.reason) is not content.bad_probe.")
            let other = try await refusal("A canary of no capability") {
                try await provider.probe(.with { ($0.tier, $0.capability) = (.canary, "theatre.sql.v1.Database") })
            }
            try demand(other.reason == "content.bad_probe", "\(other.reason) is not content.bad_probe.")
        },
        SuiteCase("whatCostsNothingIsTried") { subject in
            guard let provider = subject.provider else { return }
            let found = try await provider.probe(.with { $0.tier = .free })
            try demand(found.ok && !found.evidence.isEmpty && found.errorClass == .unspecified, "\(found)")
            try demand(!found.hasUsage, "A free probe has usage.")
            try demand(found.balance.state != .unspecified, "It does not say whether a balance is known.")
            let unknown = try await provider.probe(.with { ($0.tier, $0.model) = (.free, "no-such-model") })
            try demand(
                !unknown.ok && unknown.errorClass == .client, "A model that is not there is \(unknown.errorClass).")
        },
        SuiteCase("aCanaryOfEachCapabilityIsARealCall") { subject in
            guard let provider = subject.provider else { return }
            for capability in subject.capabilities {
                let found = try await provider.probe(
                    .with { ($0.tier, $0.capability) = (.canary, "theatre.content.v1.\(capability)") })
                try demand(found.ok && !found.evidence.isEmpty, "\(capability): \(found.reason) \(found.message)")
                try demand(found.hasUsage, "The canary of \(capability) does not say what it took.")
                guard !found.attributes.isEmpty else { continue }
                do { _ = try JSONValue(json: Data(found.attributes.utf8)) } catch {
                    throw SuiteFailure("The attributes of \(capability) are no JSON: \(found.attributes)")
                }
            }
        },
        SuiteCase("modelsAreListedByNameOrNotAtAll") { subject in
            guard let provider = subject.provider else { return }
            do {
                let names = try await provider.listModels(ContentListModelsRequest()).items.map(\.name)
                try demand(!names.isEmpty && names == Set(names).sorted(), "\(names) is no list by name.")
            } catch let error as PluginError {
                try demand(
                    error.code == .unimplemented && error.reason == "content.no_list", "\(error.reason) to a list.")
            }
        },
    ]
}
