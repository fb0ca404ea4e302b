// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Access

/// What a person's erasure leaves of his memberships.
struct HolderTests {
    @Test func everyRoleGoesButThatOfTheLastOwner() async throws {
        let fixture = try await AccessFixture()
        fixture.host.route("holder", to: "access", capability: "theatre.privacy.v1.Holder")
        let holder = PrivacyHolderClient(fixture.host.scope(), feature: "holder")
        let own = try await fixture.projects().createProject(.with { $0.name = "灯会" }).id
        let shared = try await fixture.projects("usr_2").createProject(.with { $0.name = "元宵" }).id
        _ = try await fixture.projects("usr_2").putMember(
            .with {
                $0.projectID = shared
                $0.userID = "usr_1"
                $0.role = .editor
            })
        let export = try await holder.export(.with { $0.person = "usr_1" }).json
        #expect(export.contains(own) && export.contains(shared) && export.contains(#""truncated":false"#))
        let erased = try await holder.erase(.with { $0.person = "usr_1" })
        #expect(erased.erased == ["memberships": 1])
        #expect(erased.kept.contains { $0.contains("1 project ") })
        #expect(try await fixture.standing(of: "usr_1", in: own).role == .owner)
        #expect(try await fixture.standing(of: "usr_1", in: shared).role == .unspecified)
        #expect(try await fixture.standing(of: "usr_2", in: shared).role == .owner)
    }
}
