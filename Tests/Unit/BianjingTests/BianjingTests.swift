// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Bianjing
@testable import CulturePacks

/// The plugin as its callers see it.
struct BianjingTests {
    private func pack() async throws -> CulturePackClient {
        let host = TestHost()
        try await host.install(Bianjing.self, manifest: .plugin("Culture/Bianjing"), instance: "bianjing")
        host.route("culture", to: "bianjing")
        return CulturePackClient(host.scope(principal: "usr_1"), feature: "culture")
    }

    private func chapter() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "Host/theatre/Samples/chapter.md"), encoding: .utf8)
    }

    @Test func theChaptersAnachronismsAreFound() async throws {
        let client = try await pack()
        let text = try chapter()
        let response = try await client.validate(.with { $0.text = text })
        #expect(
            response.findings.map(\.code) == ["anachronism.chili", "anachronism.banknote", "anachronism.glass_window"])
        let scalars = text.scalarValues
        for finding in response.findings {
            #expect(String(scalarValues: scalars[Int(finding.start)..<Int(finding.end)]) == finding.quote)
            #expect(!finding.instead.isEmpty)
        }
        #expect(response.vocabulary["州桥", default: 0] >= 3)
        #expect(response.stages.contains("fan_tower"))
        #expect(response.stages.contains("zhou_night_market"))
    }

    @Test func describingSpeaksBothLanguages() async throws {
        let client = try await pack()
        let chinese = try await client.describe(CultureDescribeRequest())
        let english = try await client.describe(.with { $0.language = "en" })
        #expect(chinese.name == "北宋汴京")
        #expect(english.name.contains("Bianjing"))
        #expect(chinese.stages.count == english.stages.count)
        #expect(chinese.norms.first?.text != english.norms.first?.text)
        await expect("culture.language_unknown") { try await client.describe(.with { $0.language = "fr" }) }
    }

    @Test func enrichingAddsWhatFits() async throws {
        let client = try await pack()
        for limit in [40, 120, 400, 1200] as [UInt32] {
            let response = try await client.enrich(
                .with {
                    $0.prompt = "州桥夜市，一个卖辣椒的人"; $0.maxAdded = limit
                })
            let size = response.added.reduce(0) { $0 + $1.unicodeScalars.count + 1 }
            #expect(size <= Int(limit))
            #expect(response.prompt.hasPrefix("州桥夜市，一个卖辣椒的人"))
            let again = try await client.enrich(
                .with {
                    $0.prompt = "州桥夜市，一个卖辣椒的人"; $0.maxAdded = limit
                })
            #expect(again == response)
        }
        let full = try await client.enrich(.with { $0.prompt = "州桥夜市，一个卖辣椒的人" })
        #expect(full.added.contains { $0.contains("茱萸") })
        #expect(full.added.contains { $0.hasPrefix("场景：州桥夜市") })
        await expect("culture.stage_unknown") {
            try await client.enrich(
                .with {
                    $0.prompt = "夜"; $0.stage = "moon"
                })
        }
    }

    @Test func exportIsJSONOrMarkdown() async throws {
        let client = try await pack()
        let json = try await client.export(.with { $0.target = "json" })
        let description = try CultureDescription(jsonUTF8Data: json.document)
        #expect(description.taboos.count == 82)
        let markdown = try await client.export(.with { $0.target = "markdown" })
        #expect(String(decoding: markdown.document, as: UTF8.self).hasPrefix("# 北宋汴京"))
        await expect("culture.target_unknown") { try await client.export(.with { $0.target = "pdf" }) }
    }

    @Test func tooLongATextIsRefused() async throws {
        let client = try await pack()
        await expect("culture.too_long") {
            try await client.validate(.with { $0.text = String(repeating: "字", count: 200_001) })
        }
    }

    private func expect<T>(_ reason: String, _ call: () async throws -> T) async {
        do {
            _ = try await call()
            Issue.record("\(reason) was expected.")
        } catch let error as PluginError {
            #expect(error.reason == reason)
            #expect(error.code == .invalidArgument)
        } catch {
            Issue.record(error)
        }
    }
}
