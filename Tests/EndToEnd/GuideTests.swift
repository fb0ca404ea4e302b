// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Testing
import TheatreManifest

/// Plugins in packages of their own, against what is installed.
@Suite(.serialized) struct GuideTests {
    /// The guide says what works: its commands are run as they stand there.
    @Test func everyCommandOfTheGuideWorksFromAnInstallation() async throws {
        let guided = try await Guided.shared.done()
        #expect(guided.said.contains("2 tests in 1 suite passed"))
        let blocks = guided.guide.split(separator: "\n").count { $0 == "```sh" }
        #expect(guided.commands.count == blocks && blocks > 10)
    }

    @Test(arguments: [
        "auth.Provider", "blob.Store", "content.Chat", "content.Embedding", "culture.Pack", "events.Consumer",
        "jobs.Worker", "notification.Channel", "payment.Provider", "sql.Database",
    ])
    func aNewSwiftPluginBuildsAndPassesTheValidatorUntouched(_ contract: String) async throws {
        let guided = try await Guided.shared.done()
        let name = "New" + contract.split(separator: ".").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        // All of the checks where a soak asks for them.
        let quick = ProcessInfo.processInfo.environment["THEATRE_VALIDATE_ALL"] == nil ? "--quick" : ""
        // What the guide compiled of the SDK is not compiled again.
        let scratch = guided.folder.path("empty/Greeter/.build")
        let said = try await shell(
            """
            theatre plugin new \(name) --contract \(contract) --language swift
            swift build --package-path \(name) --scratch-path '\(scratch)' --product \(name)
            theatre plugin validate '\(scratch)/debug/lib\(name).so' \(quick)
            """, in: guided.folder.root, seconds: 1200, environment: ["PATH": guided.path])
        #expect(said.contains("checks passed") && !said.contains("warning:"), "\(said)")
    }

    /// The page on storing says what works: its plugin passes its tests on the installed SQLite, in memory.
    @Test func thePluginThatStoresIsTestedOnARealDatabase() async throws {
        let guided = try await Guided.shared.done()
        let page = try String(contentsOf: URL(filePath: "\(guided.api)/STORING.md"), encoding: .utf8)
        func blocks(_ language: String) -> [String] {
            page.split(separator: "\n```\(language)\n").dropFirst().compactMap { part in
                part.firstRange(of: "\n```").map { String(part[..<$0.lowerBound]) + "\n" }
            }
        }
        let made = try TemporaryFolder()
        let folder = made.path("Notes")
        _ = try await shell(
            "theatre plugin new Notes --contract http.Handler --language swift --directory '\(folder)'",
            in: made.root, environment: ["PATH": guided.path])
        let sources = blocks("swift").compactMap { block in
            block.wholeMatch(of: #/(?s)\/\/ ((?:Sources|Tests)\/\S+)\n(.*)/#).map { (String($0.1), String($0.2)) }
        }
        #expect(sources.map(\.0) == ["Sources/Notes/Notes.swift", "Tests/NotesTests/NotesTests.swift"])
        for (path, text) in sources { try made.write("Notes/\(path)", text) }
        let manifest = URL(filePath: "\(folder)/plugin.json")
        let said = try JSONValue(json: Data(try #require(blocks("json").first).utf8))
        let merged = try JSONValue(json: Data(contentsOf: manifest)).object?.merging(said.object ?? [:]) { $1 }
        try JSONValue.object(try #require(merged)).json().write(to: manifest)
        // What the guide compiled of the SDK is not compiled again.
        let tested = try await shell(
            "swift test --package-path Notes --scratch-path '\(guided.folder.path("empty/Greeter/.build"))'",
            in: made.root, seconds: 1200, environment: ["PATH": guided.path])
        #expect(tested.contains("3 tests in 1 suite passed") && !tested.contains("warning:"), "\(tested)")
    }
}

/// The guide, gone through once.
private actor Guided {
    static let shared = Guided()

    /// What came of it.
    struct Outcome: Sendable {
        let guide: String
        let commands: [String]
        let folder: TemporaryFolder
        let path: String
        let said: String
        /// Where the SDK is installed.
        let api: String
    }

    private var outcome: Outcome?

    func done() async throws -> Outcome {
        if let outcome { return outcome }
        let prefix = try await Installed.shared.prefix()
        let api = "\(prefix)/share/theatreos/PluginAPI"
        let guide = try String(contentsOf: URL(filePath: "\(api)/WRITING.md"), encoding: .utf8)
        let commands = guide.split(separator: "\n```sh\n").dropFirst().compactMap { part in
            part.firstRange(of: "\n```").map { String(part[..<$0.lowerBound]) }
        }
        let folder = try Installed.folder()
        try folder.write("script", commands.joined(separator: "\n"))
        try folder.makeFolder("empty")
        let path = "\(prefix)/bin:\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"
        // What is left running where a command fails ends with the script.
        let said = try await shell(
            "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT; set -x; . '\(folder.path("script"))'",
            in: folder.path("empty"), seconds: 900, environment: ["PATH": path, "PORT": "\(try freePort())"])
        let made = Outcome(guide: guide, commands: commands, folder: folder, path: path, said: said, api: api)
        outcome = made
        return made
    }
}

/// A port that nobody listened on a moment ago.
func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isFound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
        }
    }
    guard isFound else { throw Unexpected("no port is free") }
    return UInt16(bigEndian: address.sin_port)
}
