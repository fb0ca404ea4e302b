// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing

/// `Tests/Checks/check-generated` in a copy of the sources: it passes there, and fails for whatever is not as
/// `make contracts` leaves it.
@Suite(.serialized) struct GeneratedCodeTests {
    /// Whether `buf` was installed by `make test`, so that what is generated can be generated again.
    static let hasBuf =
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(Sources.root)/.build")) ?? [])
        .contains { $0.hasPrefix("buf-venv-") }

    /// What is read and written, and the checks.
    private func copy() async throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        _ = try await shell(
            """
            cd '\(Sources.root)'
            mkdir -p '\(folder.root)/Tests' '\(folder.root)/.build'
            cp -r PluginAPI Plugins '\(folder.root)/'
            cp -r Tests/Checks Tests/Fixtures Tests/Benchmarks '\(folder.root)/Tests/'
            for venv in "$PWD"/.build/buf-venv-*; do ln -s "$venv" '\(folder.root)/.build/'; done
            """, in: Sources.root)
        return folder
    }

    /// What the check says, nil where it passes.
    private func fault(in folder: TemporaryFolder) async throws -> String? {
        let child = try ChildProcess(
            command: ["\(folder.root)/Tests/Checks/check-generated"], output: folder.path("log"),
            environment: ["PROTOC_GEN_SWIFT": "none"])
        let status = try await child.end(seconds: 120)
        let said = child.output
        try? folder.remove("log")
        return status == 0 ? nil : said
    }

    static let ledger = "PluginAPI/Contracts/theatre/ledger/v1/ledger.proto"

    /// Every kind of file that `make contracts` reads or writes, and a command that changes one of it.
    static let changes = [
        ("a contract", "sed -i 's/rpc /rpc  /' \(ledger)"),
        ("a comment of a contract", "echo '// More.' >> \(ledger)"),
        ("a new contract", "cp \(ledger) PluginAPI/Contracts/theatre/new.proto"),
        ("a manifest", "sed -i 's/\"summary\"/ \"summary\"/' Plugins/Money/Ledger/plugin.json"),
        ("a fixture's manifest", "echo >> Tests/Fixtures/Good/plugin.json"),
        ("the maker of seams", "echo '# more' >> PluginAPI/Contracts/generate_services.py"),
        ("the chooser of contracts", "echo '# more' >> PluginAPI/Contracts/manifest_contracts.py"),
        ("the keeper of comments", "echo '# more' >> PluginAPI/Contracts/keep_comments.py"),
        ("the script", "echo '# more' >> PluginAPI/Contracts/generate"),
        ("the version of buf", "sed -i 's/^version=.*/version=1.0.0/' PluginAPI/Contracts/buf"),
        ("the rules of buf", "echo '# more' >> PluginAPI/Contracts/buf.yaml"),
        ("a message, by hand", "echo >> PluginAPI/TheatreContracts/Generated/theatre_ledger_v1_ledger.pb.swift"),
        ("a seam, by hand", "echo >> PluginAPI/TheatrePlugin/Generated/Ledger.swift"),
        ("a seam, away", "rm PluginAPI/TheatrePlugin/Generated/Ledger.swift"),
        ("a plugin's contracts, by hand", "printf x >> Plugins/Money/Ledger/Entry/contracts.binpb"),
        ("a plugin's contracts, away", "rm Plugins/Money/Ledger/Entry/contracts.binpb"),
        ("all contracts, by hand", "printf x >> PluginAPI/Contracts/contracts.binpb"),
        (
            "two files, each by the other's name",
            "cd Tests/Fixtures; mv Good/plugin.json x; mv Lies/plugin.json Good/; mv x Lies/plugin.json"
        ),
    ]

    @Test func whateverIsReadOrWrittenMayNotChangeByItself() async throws {
        let whole = try await copy()
        #expect(try await fault(in: whole) == nil)
        for (what, command) in Self.changes {
            let folder = try TemporaryFolder()
            _ = try await shell("cp -r '\(whole.root)/.' .\n\(command)", in: folder.root)
            let said = try await fault(in: folder)
            #expect(said?.hasPrefix("run make contracts: ") == true, "\(what): \(said ?? "it passes")")
        }
    }

    /// The digest alone can be written by hand; making it all again cannot.
    @Test(
        .enabled(if: hasBuf),
        arguments: [
            (
                """
                echo '// By hand.' >> PluginAPI/TheatrePlugin/Generated/Ledger.swift
                touch PluginAPI/TheatrePlugin/Generated/Gone.swift
                cp Plugins/Money/Orders/Entry/contracts.binpb Plugins/Money/Ledger/Entry/
                """,
                [
                    "./PluginAPI/TheatrePlugin/Generated/Ledger.swift is not what it makes",
                    "PluginAPI/TheatrePlugin/Generated/Gone.swift is made no more",
                    "./Plugins/Money/Ledger/Entry/contracts.binpb is not what it makes",
                ]
            ),
            (
                "sed -i 's|service Ledger|// It is new.\\nservice Ledger|' \(ledger)",
                ["./PluginAPI/TheatrePlugin/Generated/Ledger.swift is not what it makes"]
            ),
        ])
    func aDigestThatIsWrittenByHandIsFound(_ commands: String, _ said: [String]) async throws {
        let folder = try await copy()
        _ = try await shell(
            "\(commands)\nPluginAPI/Contracts/digest > PluginAPI/Contracts/generated.sha256", in: folder.root)
        let fault = try await fault(in: folder)
        for file in said { #expect(fault?.contains("run make contracts: \(file)") == true, "\(fault ?? "it passes")") }
    }
}
