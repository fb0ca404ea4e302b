// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreManifest

/// `theatre explain`, as an operator asks it.
@Suite struct ExplainTests {
    /// Outlines in English go to a model, all others to the house.
    private static let byLocale = [
        "51-openai.yaml": """
        plugin: OpenAI
        instance: openai
        grants:
          egress: [api.openai.com]
          secrets:
            api_key: {from: "env:OPENAI_API_KEY", hosts: [api.openai.com]}
        config:
          model: gpt-4o-mini

        """,
        "90-routes.yaml": modelRoutes,
    ]

    @Test func aFeatureWithOnePossibleInstanceIsRoutedWithoutARoute() async throws {
        let result = try await explain(["drafting.ledger"])
        #expect(result.status == 0)
        #expect(result.output.contains("→ ledger (instance ledger): the only enabled instance"), "\(result.output)")
    }

    @Test func aFeatureThatTwoPacksCouldMeetGoesWhereItsRouteSays() async throws {
        let result = try await explain(["studio.culture"])
        #expect(result.status == 0)
        #expect(
            result.output.contains("→ bianjing (instance bianjing): by the route at 90-routes.yaml:"),
            "\(result.output)")
    }

    @Test(arguments: [("zh", "house", "offline"), ("en", "model", "openai")]) func theAttributesOfACallChooseItsRoute(
        _ locale: String, _ profile: String, _ instance: String
    ) async throws {
        let deployment = try defaultDeployment(Self.byLocale)
        let told = try await explain(["studio.outline", "--locale", locale], deployment.root)
        #expect(told.status == 0)
        #expect(
            told.output.contains("→ \(profile) (instance \(instance)): by the route at 90-routes.yaml:7"),
            "\(told.output)")
        let report = try JSONValue(
            json: Data(
                try await explain(["studio.outline", "--locale", locale, "--json"], deployment.root).output.utf8))
        #expect(report["profile"]?.string == profile)
        #expect(report["instance"]?.string == instance)
        let chosen = report["candidates"]?.array?.filter { $0["chosen"]?.bool == true } ?? []
        #expect(chosen.compactMap { $0["profile"]?.string } == [profile])
    }

    @Test func everyFeatureIsListedWhereNoneIsNamed() async throws {
        let listed = try await explain([])
        #expect(listed.status == 0)
        let names = listed.output.split(separator: "\n").map(String.init)
        #expect(names.contains("studio.outline"))
        #expect(names == names.sorted())
        let report = try JSONValue(json: Data(try await explain(["--json"]).output.utf8))
        #expect(report["features"]?.array?.compactMap(\.string) == names)
    }

    @Test func aFeatureThatNobodyNeedsIsRefusedWithTheNearest() async throws {
        let result = try await explain(["studio.outlin"])
        #expect(result.status == 1)
        #expect(result.output.contains("did you mean studio.outline?"), "\(result.output)")
    }

    /// What a probe found of an instance that no route names.
    private static func probes(_ failure: String) -> String {
        let result = #"{"instance": "openai", "capability": "theatre.content.v1.Chat", "at": "2026-03-01T20:15:00Z""#
        return "[\(result)\(failure.isEmpty ? "" : #", "failure": "\#(failure)""#)}]"
    }

    private func chat(_ probes: String?) async throws -> (status: Int32, output: String) {
        var files = Self.byLocale
        // All outlines stay in the house, and the model stands beside it.
        files["90-routes.yaml"] = files["90-routes.yaml"]?
            .replacing("      - {profile: model, when: {locale: en}}\n", with: "")
        files["probes.json"] = probes
        let deployment = try defaultDeployment(files)
        return try await explain(
            ["studio.outline"] + (probes == nil ? [] : ["--probes", deployment.path("probes.json")]), deployment.root)
    }

    @Test func whatProbesFoundSaysWhoCouldServe() async throws {
        for probes in [nil, Self.probes("")] {
            let told = try await chat(probes)
            #expect(told.status == 0, "\(told.output)")
            #expect(told.output.contains("  could be model: "), "\(told.output)")
        }
        let told = try await chat(Self.probes("401 Unauthorized"))
        #expect(told.status == 0, "\(told.output)")
        #expect(told.output.contains("→ house (instance offline)"), "\(told.output)")
        #expect(told.output.contains("  cannot be model: its last probe failed: 401 Unauthorized"), "\(told.output)")
    }

    @Test func aRouteToWhatAProbeFoundWantingIsAFaultWithItsPlace() async throws {
        var files = Self.byLocale
        files["probes.json"] = Self.probes("401 Unauthorized")
        let deployment = try defaultDeployment(files)
        let told = try await explain(["studio.outline", "--probes", deployment.path("probes.json")], deployment.root)
        #expect(told.status == 1)
        #expect(told.output.contains("90-routes.yaml:9: route.unproved: "), "\(told.output)")
        #expect(told.output.contains("its last probe failed: 401 Unauthorized"), "\(told.output)")
    }

    @Test(arguments: ["", "{}", #"[{"instance": "openai"}]"#]) func resultsThatCannotBeReadAreSaidPlainly(
        _ probes: String
    ) async throws {
        let told = try await chat(probes)
        #expect(told.status == 1)
        #expect(told.output.contains("probes.json: declaration.invalid: The probes' results cannot be read: "))
    }

    private func explain(
        _ arguments: [String], _ deployment: String = Sources.defaultDeployment
    ) async throws -> (status: Int32, output: String) {
        let result = try await theatre(["explain"] + arguments + ServerProcess.options(deployment, nil))
        return (result.status, result.output)
    }
}
