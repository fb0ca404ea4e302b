// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Drafting

/// What a person who started many runs is told: all of them.
struct DraftingExportTests {
    private struct Export: Decodable {
        struct Run: Decodable { var id: String, title: String }
        var runs: [Run]?
    }

    @Test func everyRunIsInOnePage() async throws {
        let stage = try await Stage()
        stage.host.route("holder", to: "drafting", capability: "theatre.privacy.v1.Holder")
        let title = String(repeating: "灯", count: 200)
        // Three of each moment; titles as long as a chapter's may be.
        try await Database(stage.probe, feature: "drafting.storage").commit { batch in
            batch.run(
                """
                /* tenants: all */ INSERT INTO {runs} (tenant, id, project_id, chapter_id, owner, status, step, cost,
                    hold_key, title, language, created_at)
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
                SELECT 'default', 'run_' || n.i, 'prj_1', 'chp_1', 'usr_' || (n.i % 2), 'succeeded', '', 1, '',
                    substr('\(title)', 1, 1 + n.i % 200), 'zh', n.i / 6 FROM n
                """)
        }
        let holder = PrivacyHolderClient(stage.host.scope(), feature: "holder")
        let pages = try await HolderPages.all(of: "usr_1", from: holder)
        #expect(pages.count > 1)
        let runs = try pages.flatMap { json in
            try JSONDecoder().decode(Export.self, from: Data(json.utf8)).runs ?? []
        }
        #expect(runs.count == 1500)
        let ids: [String] = stride(from: 1, through: 3000, by: 2).map { "run_\($0)" }
        #expect(Set(runs.map(\.id)) == Set(ids))
    }
}
