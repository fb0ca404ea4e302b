// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SeededRandom
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// What a person with a full inbox is told: all of it.
struct InboxExportTests {
    private struct Export: Decodable {
        struct Message: Decodable { var title: String, body: String, data: String }
        var messages: [Message]?
    }

    @Test func everyMessageIsInOnePage() async throws {
        let host = try await TestHost.withInbox()
        let channel = host.channel
        var random = SeededGenerator(seed: 12)
        // Up to six bytes of JSON each, which is the most that a message takes.
        let bodies = (0..<90).map { _ in
            String(repeating: Bool.random(using: &random) ? "\u{1}" : "灯", count: .random(in: 1...4000, using: &random))
        }
        for (number, body) in bodies.enumerated() {
            for user in ["usr_1", "usr_2"] {
                _ = try await channel.send(
                    .with {
                        $0.messageID = "m\(number)"
                        $0.user = user
                        $0.category = "test"
                        $0.title = "\(user) \(number)"
                        $0.body = body
                        $0.data = #"{"number":\#(number)}"#
                    })
            }
        }
        let holder = PrivacyHolderClient(host.scope(), feature: "holder")
        let pages = try await HolderPages.all(of: "usr_1", from: holder)
        #expect(pages.count > 1)
        let messages = try pages.flatMap { json in
            try JSONDecoder().decode(Export.self, from: Data(json.utf8)).messages ?? []
        }
        let numbers = Array((0..<90).reversed())
        #expect(messages.map(\.title) == numbers.map { "usr_1 \($0)" })
        #expect(messages.map(\.body) == numbers.map { bodies[$0] })
        #expect(messages.map(\.data) == numbers.map { #"{"number":\#($0)}"# })
        #expect(host.violations.isEmpty)
    }
}
