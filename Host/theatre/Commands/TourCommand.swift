// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import CTheatreSamples
import FoundationEssentials
import TheatreManifest

/// `theatre tour`.
struct TourCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tour",
        abstract: "Live the main job against a server: sign in, buy chips, draft a chapter, look at the result.",
        discussion: "Ends with status 1 if anything was not as it should be.")

    @Option(help: "Chapter to draft, Markdown or plain text. By default an original story that ships.")
    var chapter: String?

    @Option(help: "Where the server is.")
    var server = "http://127.0.0.1:8080"

    @Flag(help: "Serve the deployment on a free port with a fresh state folder for the time of the tour.")
    var serve = false

    @Flag(help: "Print the outcome as JSON and nothing else.")
    var json = false

    @OptionGroup var deployment: DeploymentOptions

    func run() async throws {
        let text = try loadChapter()
        let child = serve ? try ChildServer.start(deployment) : nil
        let say = TourNarrator(isQuiet: json)
        let address = child?.url ?? server
        say.line("server: \(address)")
        do {
            let outcome = try await tour(address, text, say)
            try child?.stop()
            try report(outcome, address)
        } catch {
            let log = child?.stopAndReadLog() ?? ""
            if !log.isEmpty { printError("the server said:\n\(log)") }
            printError("the tour failed: \(error)")
            throw ExitCode(1)
        }
    }

    private func tour(_ address: String, _ chapter: Tour.Chapter, _ say: TourNarrator) async throws -> Tour.Outcome {
        let http = HTTPClient(eventLoopGroupProvider: .singleton)
        var tour = Tour(client: TourClient(http: http, server: address), chapter: chapter, say: say)
        let outcome: Result<Tour.Outcome, any Error>
        do { outcome = .success(try await tour.run()) } catch { outcome = .failure(error) }
        try await http.shutdown()
        return try outcome.get()
    }

    private func loadChapter() throws -> Tour.Chapter {
        let text: String
        if let chapter {
            do { text = try String(contentsOf: URL(filePath: chapter), encoding: .utf8) } catch {
                throw ValidationError("\(chapter) cannot be read as UTF-8 text")
            }
            guard text.contains(where: { !$0.isWhitespace }) else {
                throw ValidationError("\(chapter) is empty; name a file with the text of a chapter")
            }
        } else {
            var size: UInt = 0
            let bytes = theatre_sample_chapter(&size)
            text = String(decoding: UnsafeBufferPointer(start: bytes, count: Int(size)), as: UTF8.self)
        }
        return Tour.Chapter(title: Self.title(of: text), text: text, hasFindings: chapter == nil)
    }

    /// The front matter's title, else the first heading, else the first words.
    private static func title(of text: String) -> String {
        let lines = text.split(separator: "\n")
        var title = lines.first { $0.hasPrefix("#") } ?? text.prefix(20)
        if lines.first == "---", let stated = lines.first(where: { $0.hasPrefix("title:") }) {
            title = stated.dropFirst("title:".count)
        }
        let bare = title.drop { "#\" ".contains($0) }.prefix(200)
        let end = bare.lastIndex { !"\" \r".contains($0) }
        return end.map { String(bare[...$0]) } ?? "Chapter"
    }

    private func report(_ outcome: Tour.Outcome, _ address: String) throws {
        let facts: [(String, JSONValue)] = [
            ("account", .string(outcome.account)), ("order", .string(outcome.order)),
            ("project", .string(outcome.project)), ("chapter", .string(outcome.chapter)),
            ("run", .string(outcome.run)), ("scenes", .integer(Int64(outcome.scenes))),
            ("findings", .integer(Int64(outcome.findings))), ("cost", .integer(outcome.cost)),
            ("balance", .integer(outcome.balance)),
        ]
        guard !json else {
            let object = JSONValue.object(Dictionary(facts) { first, _ in first })
            print(String(decoding: try object.json(), as: UTF8.self))
            return
        }
        print("\nAll as it should be.")
        for (name, value) in facts {
            print(
                "  \(name)\(String(repeating: " ", count: 10 - name.count))\(value.string ?? "\(value.integer ?? 0)")")
        }
    }
}
