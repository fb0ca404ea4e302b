// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import TheatreContracts
public import TheatrePlugin

/// A provider of `theatre.culture.v1.Pack`.
public struct CultureSubject: Sendable {
    /// Calls of the provider.
    public var client: CulturePackClient

    /// A provider to be tested.
    public init(client: CulturePackClient) { self.client = client }
}

/// What every culture pack does.
public enum CultureSuite {
    /// The cases; each wants a fresh subject.
    public static let cases: [SuiteCase<CultureSubject>] = describing + judging + enriching + exporting

    private static let describing: [SuiteCase<CultureSubject>] = [
        SuiteCase("thePackDescribesItself") { subject in
            let pack = try await subject.client.describe(CultureDescribeRequest())
            try demand(
                !pack.id.isEmpty && !pack.version.isEmpty && !pack.name.isEmpty, "The pack has no id, version or name.")
            try demand(
                pack.taboos.allSatisfy { !$0.patterns.isEmpty && !$0.reason.isEmpty }, "A taboo looks for nothing.")
            let codes = pack.taboos.map(\.code) + pack.norms.filter { !$0.patterns.isEmpty }.map(\.code)
            try demand(Set(codes).count == codes.count, "Two taboos have one code.")
            try demand(Set(pack.stages.map(\.id)).count == pack.stages.count, "Two stages have one id.")
            let severities = pack.taboos.map(\.severity) + pack.norms.filter { !$0.patterns.isEmpty }.map(\.severity)
            try demand(
                severities.allSatisfy { ["violation", "warning", "suggestion"].contains($0) },
                "A severity is none of the contract's.")
        },
        SuiteCase("thePackSpeaksTheLanguagesItNames") { subject in
            let pack = try await subject.client.describe(CultureDescribeRequest())
            try demand(!pack.languages.isEmpty, "The pack names no language.")
            for language in pack.languages {
                let told = try await success("The language \(language), which the pack names, was refused") {
                    try await subject.client.describe(.with { $0.language = language })
                }
                try demand(
                    told.taboos.map(\.code) == pack.taboos.map(\.code), "In \(language) the pack has other taboos.")
            }
        },
        SuiteCase("anUnknownLanguageIsRefused") { subject in
            let error = try await refusal("The language tlh") {
                try await subject.client.describe(.with { $0.language = "tlh" })
            }
            try demand(error.code == .invalidArgument, "\(error.reason) is not INVALID_ARGUMENT.")
        },
        SuiteCase("themesHoldTogether") { subject in
            let pack = try await subject.client.describe(CultureDescribeRequest())
            for theme in pack.themes { try check(theme) }
        },
    ]

    private static func check(_ theme: CultureTheme) throws {
        let variables = Dictionary(theme.variables.map { ($0.id, $0) }) { first, _ in first }
        let evidence = Set(theme.evidence.map(\.id))
        for variable in theme.variables {
            try demand(
                variable.least <= variable.start && variable.start <= variable.most && variable.step >= 1,
                "\(variable.id) starts outside its bounds, or does not move.")
        }
        for gate in theme.gates {
            try demand(gate.options.count >= 2, "The gate \(gate.id) leaves no choice.")
            try demand(evidence.isSuperset(of: gate.evidence), "The gate \(gate.id) weighs evidence that is not there.")
            for change in gate.options.flatMap(\.changes) {
                guard let variable = variables[change.variable] else {
                    throw SuiteFailure("The gate \(gate.id) moves \(change.variable), which is not there.")
                }
                try demand(
                    change.by.isMultiple(of: variable.step),
                    "\(change.variable) moves by \(change.by), not by its step.")
            }
        }
    }
}
