// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing

/// The ten steps of README.md, gone through in a copy of the sources.
@Suite(.serialized) struct ReadmeTests {
    /// The blocks of commands of the section.
    private static func commands() throws -> [String] {
        let readme = try String(contentsOf: URL(filePath: "\(Sources.root)/README.md"), encoding: .utf8)
        let section = readme.split(separator: "\n## ").first { $0.hasPrefix("Ten steps to a plugin of your own\n") }
        return try #require(section).split(separator: "\n```sh\n").dropFirst().compactMap { part in
            part.firstRange(of: "\n```").map { String(part[..<$0.lowerBound]) }
        }
    }

    /// Of a package, only what the new plugin and its test need: the rest is built beside the copy already.
    private static let narrowed = """

        let wanted: Set<String> = { () -> Set<String> in
            var seen: Set<String> = []
            var queue = ["TheatrePluginTesting", "GreeterTests"]
            while let name = queue.popLast() {
                guard let target = package.targets.first(where: { $0.name == name }), seen.insert(name).inserted else {
                    continue
                }
                for dependency in target.dependencies {
                    switch dependency {
                    case .targetItem(let name, _), .byNameItem(let name, _): queue.append(name)
                    default: break
                    }
                }
            }
            return seen
        }()
        package.targets.removeAll { !wanted.contains($0.name) }
        package.products.removeAll { product in
            (product as? Product.Library).map { !wanted.isSuperset(of: $0.targets) } ?? true
        }

        """

    /// A copy of the sources with the dependencies and the programs that `swift build` leaves there.
    private func copy() async throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        _ = try await shell(
            """
            cd '\(Sources.root)'
            for name in Host LICENSE Makefile Package.swift Package.resolved PluginAPI Plugins Tests plugins.d README.md; do
                [ ! -e "$name" ] || cp -r "$name" '\(folder.root)/'
            done
            mkdir '\(folder.root)/.build' && cd .build
            for name in artifacts checkouts repositories workspace-state.json; do
                [ ! -e "$name" ] || cp -r "$name" '\(folder.root)/.build/'
            done
            for venv in "$PWD"/buf-venv-*; do ln -s "$venv" '\(folder.root)/.build/'; done
            debug='\(folder.root)/.build/'$(basename "$(dirname '\(BuildFolder.path)')")/debug
            mkdir -p "$debug" && cd '\(BuildFolder.path)'
            for file in theatre theatre-runner lib*.so; do
                cp -l "$file" "$debug/" 2> /dev/null || cp "$file" "$debug/"
            done
            """, in: Sources.root, seconds: 300)
        let package = try folder.read("Package.swift")
        try folder.write("Package.swift", package + Self.narrowed)
        return folder
    }

    @Test func theTenStepsLeadToAPluginThatServes() async throws {
        let commands = try Self.commands()
        let steps = try String(contentsOf: URL(filePath: "\(Sources.root)/README.md"), encoding: .utf8)
        for step in 1...10 { #expect(steps.contains("**\(step).** "), "step \(step)") }
        #expect(commands.count >= 4)
        let folder = try await copy()
        try folder.write("ten-steps", commands.joined(separator: "\n"))
        // What is left running where a command fails ends with the script. The messages are as they are committed.
        let said = try await shell(
            "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT; set -x; . ./ten-steps", in: folder.root, seconds: 1200,
            environment: ["PORT": "\(try freePort())", "PROTOC_GEN_SWIFT": "none"])
        #expect(said.contains("Test everybodyIsGreeted() passed"), "\(said)")
        #expect(said.contains("checks passed"), "\(said)")
        #expect(said.contains("nothing is wrong"), "\(said)")
        // What was made keeps the rules of those that ship.
        let checked = try await shell("Tests/Checks/check-plugins; Tests/Checks/check-generated", in: folder.root)
        #expect(!checked.contains("Greeter"), "\(checked)")
    }

    @Test func aStrangerReadsItInOneSitting() throws {
        let readme = try String(contentsOf: URL(filePath: "\(Sources.root)/README.md"), encoding: .utf8)
        #expect(readme.count { $0 == "\n" } < 150)
    }
}
