// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreManifest

/// `theatre events …` on what a server has stored, beside it and without it.
@Suite(.serialized) struct EventCommandTests {
    private static let consumer = "journal/theatre.events.v1.Consumer/Deliver"

    private func consumer(_ desk: OperatorDesk) async throws -> JSONValue {
        let all = try await desk.json("events list")["consumers"]?.array ?? []
        return try #require(all.first { $0["consumer"]?.string == Self.consumer })
    }

    private func offset(_ desk: OperatorDesk) async throws -> Int64? { try await consumer(desk)["offset"]?.integer }

    /// The dead letters, by the ids of their entries.
    private func dead(_ desk: OperatorDesk) async throws -> [String: JSONValue] {
        let letters = try await desk.json("events dead list --consumer journal").array ?? []
        return Dictionary(uniqueKeysWithValues: letters.map { ($0.value(at: "/event/data/id")?.string ?? "", $0) })
    }

    private func delivered(_ journal: JournalClient) async throws -> Set<String> {
        Set(try await journal.report("deliveries").map { $0[1] })
    }

    @Test(arguments: StorageEngine.allCases)
    func whatAConsumerRefusesIsSetAsideAndDeliveredOrDroppedAsAsked(_ engine: StorageEngine) async throws {
        let desk = try await OperatorDesk(engine, journal: "refuses: bad")
        let server = try await desk.serve()
        try await JournalClient.with(server) { journal in
            try await journal.store(["good-1", "bad-1", "good-2", "bad-2"])
            let letters = try await eventually("two are set aside") { () -> [String: JSONValue]? in
                let letters = try await dead(desk)
                return letters.count == 2 ? letters : nil
            }
            let first = try #require(letters["bad-1"]?.value(at: "/event/offset")?.integer)
            let second = try #require(letters["bad-2"]?.value(at: "/event/offset")?.integer)
            let letter = letters["bad-1"]
            #expect(letter?["reason"]?.string == "journal.told_to_refuse" && letter?["attempts"]?.integer == 1)
            #expect(letter?["requested"] == .bool(false) && letter?["message"]?.string?.isEmpty == false)
            let text = try await desk.run("events dead")
            #expect(text.contains("journal.told_to_refuse") && text.contains("\(first)") && text.contains("\(second)"))
            let standing = try await eventually("the rest is delivered") { () -> JSONValue? in
                let consumer = try await consumer(desk)
                return consumer["behind"]?.integer == 0 ? consumer : nil
            }
            #expect(standing["dead_letters"]?.integer == 2)

            try await desk.expectRefusals([
                ("events dead list --consumer nobody", 1, "no consumer is named nobody"),
                ("events dead list --limit 0", 64, "--limit is 1 to 1000"),
                ("events dead replay journal \(first) 777", 1, "has no dead letter at offset 777; nothing was changed"),
                ("events dead replay journal", 64, "by their offsets, or all"),
                ("events dead drop journal 777", 1, "has no dead letter at offset 777; nothing was changed"),
                ("events dead drop journal \(first) --all", 64, "by their offsets, or all"),
                ("events dead drop nobody --all", 1, "no consumer is named nobody"),
            ])
            #expect(try await dead(desk) == letters, "what was refused changed nothing")

            // As long as it is refused, it stays.
            _ = try await desk.run("events dead replay journal \(first)")
            try await eventually("it is refused again") { () -> Bool? in
                let letter = try await dead(desk)["bad-1"]
                return letter?["attempts"]?.integer == 2 && letter?["requested"] == .bool(false) ? true : nil
            }
            #expect(try await delivered(journal) == ["good-1", "good-2"])

            try await desk.configure(journal: "work_ms: 0", of: server)
            let preview = try await desk.json("events dead replay journal \(first) --dry-run")
            #expect(preview == .object(["dry_run": .bool(true), "offsets": .array([.integer(first)])]))
            #expect(try await dead(desk).count == 2)
            #expect(try await desk.json("events dead replay journal \(first)") == .object(["changed": .integer(1)]))
            try await eventually("it is delivered") {
                try await delivered(journal).contains("bad-1") ? true : nil
            }
            try await eventually("it is no dead letter any more") { try await dead(desk).count == 1 ? true : nil }
            #expect(
                try await desk.run("events dead drop journal --all --dry-run").contains(
                    "1 dead letter would be dropped"))
            #expect(try await dead(desk).keys.sorted() == ["bad-2"])
            #expect(try await desk.run("events dead drop journal \(second)").contains("1 dead letter dropped"))
            #expect(try await desk.json("events dead list") == .array([]))
            #expect(try await delivered(journal) == ["good-1", "good-2", "bad-1"])

            // A replay brings the dropped one too: the log still has it.
            _ = try await desk.run("events replay journal --after \(second - 1)")
            try await eventually("the last comes again") {
                try await delivered(journal).contains("bad-2") ? true : nil
            }
        }
        try await server.stop()
    }

    @Test(arguments: StorageEngine.allCases)
    func theLogIsReadReplayedAndTrimmedWithoutAServer(_ engine: StorageEngine) async throws {
        let desk = try await OperatorDesk(engine, journal: "")
        let server = try await desk.serve()
        try await JournalClient.with(server) { journal in
            try await journal.store(["a", "b", "c"])
            try await eventually("all are delivered") { try await delivered(journal).count == 3 ? true : nil }
        }
        try await server.stop()
        let events = try await desk.json("events read --type journal. --aggregate shared").array ?? []
        #expect(events.compactMap { $0.value(at: "/data/id")?.string } == ["a", "b", "c"])
        let offsets = events.compactMap { $0["offset"]?.integer }
        let (first, head) = (try #require(offsets.first), try #require(offsets.last))
        let one = try await desk.json("events read --after \(first) --limit 1").array ?? []
        #expect(one.compactMap { $0.value(at: "/data/id")?.string } == ["b"])
        #expect(try await desk.json("events read --type other.") == .array([]))
        #expect(try await desk.run("events").contains("the log holds offsets \(first) to \(head)"))
        #expect(try await offset(desk) == head)

        #expect(try await desk.run("events replay journal --after 0 --dry-run").contains("nothing was moved"))
        #expect(try await offset(desk) == head)
        let moved = try await desk.json("events replay \(Self.consumer) --after 0")
        #expect(moved["from"]?.integer == head && moved["to"]?.integer == 0 && moved["dry_run"] == .bool(false))
        #expect(try await consumer(desk)["behind"]?.integer == head)
        try await desk.expectRefusals([
            ("events replay nobody --after 0", 1, "no consumer is named nobody; there are \(Self.consumer)"),
            ("events replay journal", 64, "--after"),
            ("events replay journal --after=-1", 64, "--after is 0 or more"),
            ("events replay journal --after \(head + 1)", 1, "lies beyond"),
            ("events replay journal --after \(head)", 1, "would never be delivered; say --skip"),
            ("events read --limit 0", 64, "--limit is 1 to 1000"),
            ("events read --after soon", 64, "--after"),
            ("events trim", 64, "--older-than"),
            ("events trim --older-than=-1", 64, "--older-than is 0 to 36500 days"),
            ("events trim --older-than inf", 64, "--older-than is 0 to 36500 days"),
            ("events trim --older-than 1e300 --dry-run", 64, "--older-than is 0 to 36500 days"),
        ])
        #expect(try await offset(desk) == 0)
        #expect(try await desk.run("events trim --older-than 0").contains("0 events removed"), "nobody has passed them")
        #expect(try await desk.run("events replay journal --after \(head) --skip").contains("are left out"))
        #expect(try await offset(desk) == head)

        #expect(try await desk.json("events trim --older-than 1") == .object(["removed": .integer(0)]))
        let preview = try await desk.json("events trim --older-than 0 --dry-run")
        #expect(preview["removable"]?.integer == 3 && preview["oldest"]?.integer == first)
        #expect(try await desk.json("events read").array?.count == 3)
        #expect(try await desk.run("events trim --older-than 0").contains("3 events removed"))
        #expect(try await desk.json("events read") == .array([]))
        #expect(try await offset(desk) == head)

        // What is trimmed is gone; what comes after goes on where the log was.
        let second = try await desk.serve()
        try await JournalClient.with(second) { journal in
            try await journal.store(["d"])
            try await eventually("it is delivered") { try await delivered(journal).count == 4 ? true : nil }
        }
        try await second.stop()
        #expect((try await offset(desk) ?? 0) > head)
    }
}
