// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SeededRandom
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import LocalBlobs

/// Power cuts at any instant: what was acknowledged is there whole, and nothing is there by half.
struct PowerCutTests {
    /// What one writer of keys of its own knows.
    struct Account: Sendable {
        var acknowledged: [String: Data] = [:]
        var refused = 0
    }

    @Test(arguments: 0..<8) func acknowledgedBlobsSurvive(_ block: UInt64) async throws {
        let bench = try await Bench()
        for seed in (block * 25)..<(block * 25 + 25) { try await cut(bench, seed) }
    }

    /// Others than those above, for as long as they are sought.
    @Test func acknowledgedBlobsSurviveCutsOfAnySeed() async throws {
        var progress = FaultProgress(.cutsOfBlobs)
        var dice = SeededGenerator(seed: FaultPlan.current.seed)
        var cuts = 0
        repeat {
            let bench = try await Bench()
            for _ in 0..<25 { try await cut(bench, dice.next()) }
            cuts += 25
            progress.tell("\(cuts) cuts")
        } while progress.goesOn
        progress.end("\(cuts) cuts")
    }

    private func cut(_ bench: borrowing Bench, _ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let disk = PowerCutDisk(root: bench.folder, seed: seed)
        let vault = try bench.vault(disk)
        try await vault.prepare()
        let rows = BlobRows(bench.host.scope(as: "blobs"), try bench.configuration())
        let owner = BlobOwner(tenant: "t\(seed)", instance: "drafting")
        disk.cutPower(after: Int(random.next() % 300))
        var accounts = [Account](repeating: Account(), count: 3)
        for phase in 0..<3 {
            // What the phases before left is old when this one sweeps, and put again while it does.
            disk.advance(seconds: 86_400)
            let seeds = accounts.map { _ in random.next() }
            accounts = await withTaskGroup(of: (Int, Account).self) { group in
                for (writer, account) in accounts.enumerated() {
                    group.addTask {
                        (
                            writer,
                            await Self.write(
                                vault, rows, owner, writer, SeededGenerator(seed: seeds[writer]), account, disk)
                        )
                    }
                }
                if phase > 0 { group.addTask { await Self.sweep(vault, rows) } }
                return await group.reduce(into: accounts) { if $1.0 >= 0 { $0[$1.0] = $1.1 } }
            }
        }
        vault.threads.close()

        let found = disk.afterPowerCut()
        let again = try bench.vault(found)
        try await again.prepare()
        for round in 0..<2 {
            for (key, bytes) in accounts.flatMap(\.acknowledged) {
                let row = try #require(try await rows.find(key, of: owner), "\(key) is lost, seed \(seed)")
                let content = Content(digest: row.digest, size: row.info.size)
                let reader = try await again.open(content, from: 0, count: content.size)
                var read = Data()
                while let piece = try await reader.next() { read += piece }
                #expect(read == bytes, "\(key) is not what was put, seed \(seed)")
            }
            // The same after a sweep has removed what the cut left behind.
            guard round == 0 else { break }
            found.advance(seconds: 86_400)
            _ = try await again.sweep(rows, at: bench.host.now)
            #expect(try found.list("\(bench.folder)/incoming").isEmpty)
        }
        again.threads.close()
    }

    private static func sweep(_ vault: BlobVault, _ rows: BlobRows) async -> (Int, Account) {
        do { _ = try await vault.sweep(rows, at: 0) } catch {
            // The power is out.
        }
        return (-1, Account())
    }

    /// Puts, replaces, deletes and puts again until the power is out.
    private static func write(
        _ vault: BlobVault, _ rows: BlobRows, _ owner: BlobOwner, _ writer: Int, _ seeded: SeededGenerator,
        _ before: Account, _ disk: PowerCutDisk
    ) async -> Account {
        var random = seeded
        var account = before
        for step in 0..<6 where !disk.isOut {
            let key = "w\(writer)/\(random.next() % 3)"
            // Few contents, so that several keys and writers share files.
            let bytes = noise(Int(random.next() % 4) * 3000, seed: random.next() % 5)
            do {
                if step % 3 == 2 {
                    try await rows.delete(key, BlobConditions(), of: owner)
                    account.acknowledged[key] = nil
                    continue
                }
                let draft = try BlobDraft(.with { $0.key = key }, vault.configuration)
                let content = try await vault.receive(size: 0, sha256: "", most: 1 << 20, once(bytes))
                _ = try await rows.put(draft, content, of: owner, at: 1)
                account.acknowledged[key] = bytes
            } catch {
                account.refused += 1
            }
        }
        return account
    }
}
