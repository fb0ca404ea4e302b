// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOHTTP1
import Testing
import TheatreManifest

/// Plugins that break the rules of calls: what the client sees, what is counted, and that the rest serves.
@Suite(.serialized) struct MisbehavingCallTests {
    @Test func aCallThatNeverCompletesEndsAtItsDeadlineAndIsCounted() async throws {
        try await with("NeverCompletes") { server in
            let answer = try await server.client.get("/fixtures/never-completes")
            #expect(answer.status == 504)
            #expect(try answer.json.value(at: "/details/reason")?.string == "call.deadline")
            #expect(try await server.client.metric("theatre_calls_orphaned", first("bad")) == 1)
            _ = try await server.client.get("/fixtures/never-completes")
            try await told(
                server, "never", "NeverCompletes",
                found: "none within 200 ms; 1 such calls are open, with more than 64 the instance is closed")
            #expect(try await server.client.get("/fixtures/good").text == "served")
        }
    }

    @Test func aLateCompletionIsCountedAndDropped() async throws {
        try await with("CompletesLate") { server in
            for _ in 0..<3 { #expect(try await server.client.get("/fixtures/completes-late").status == 504) }
            try await eventually("the last one is counted") {
                try await server.client.metric("theatre_completions_late_total", first("bad")) == 3 ? true : nil
            }
            try await told(server, "late", "CompletesLate", found: " ms after it; it was dropped")
        }
    }

    @Test func theSecondCompletionIsCountedAndDropped() async throws {
        try await with("CompletesTwice") { server in
            let answer = try await server.client.get("/fixtures/completes-twice")
            #expect(answer.status == 200)
            #expect(answer.text == "first")
            #expect(try await server.client.metric("theatre_completions_double_total", first("bad")) == 1)
            #expect(try await server.client.metric("theatre_completions_double_total", first("good")) == 0)
            for _ in 0..<5 { _ = try await server.client.get("/fixtures/completes-twice") }
            try await told(
                server, "double", "CompletesTwice", found: "one more of a call that had ended; it was dropped")
        }
    }

    @Test(arguments: ["/fixtures/answers-garbage", "/fixtures/answers-malformed"])
    func anAnswerThatCannotBeReadIs500WithoutDetail(_ path: String) async throws {
        try await with("AnswersGarbage") { server in
            let answer = try await server.client.get(path)
            #expect(answer.status == 500)
            let error = try answer.json
            #expect(error["owner_module"]?.string == "bad")
            #expect(error["retryable"]?.bool == false)
            #expect(
                error["message"]?.string == "The request failed; its cause is in the log under the correlation id.")
            let request = answer.headers.first(name: "x-request-id") ?? "none"
            let lines = server.output.split(separator: "\n").filter { $0.contains("request failed") }
            #expect(lines.count == 1, "\(server.output)")
            #expect(lines.first?.contains(request) == true, "\(lines)")
            #expect(try await server.client.metric("theatre_completions_malformed_total", first("bad")) == 1)
            let found =
                path.hasSuffix("malformed") ? "a result of struct_size 4; it has 32" : "an answer that is no message"
            try await told(server, "malformed", "AnswersGarbage", found: found)
            #expect(try await server.client.get("/fixtures/good").text == "served")
        }
    }

    /// Exactly one line says it, with all that is to be known.
    private func told(_ server: ServerProcess, _ kind: String, _ plugin: String, found: String) async throws {
        let lines = try await eventually("it is logged") {
            let lines = server.output.split(separator: "\n").filter { $0.contains("was not completed as it must be") }
            return lines.contains { $0.contains("kind=\(kind)") } ? lines : nil
        }.filter { $0.contains("kind=\(kind)") }
        #expect(lines.count == 1, "\(lines)")
        let line = lines.first.map(String.init) ?? ""
        for part in [
            "plugin=\(plugin)", "instance=bad", "generation=1", "operation=theatre.http.v1.Handler/Handle", "count=1",
            "expected=", found, "fix=",
        ] {
            #expect(line.contains(part), "\(line)")
        }
    }

    private func with(_ plugin: String, _ body: (ServerProcess) async throws -> Void) async throws {
        let files = BadPluginTests.sound.merging(["50-bad.yaml": BadPluginTests.instance(plugin)]) { $1 }
        let deployment = try TemporaryFolder(files)
        let server = try await ServerProcess.start(deployment.root)
        try await body(server)
        try await server.stop()
    }

    /// The labels of an instance's first generation.
    private func first(_ instance: String) -> String { "{generation=\"1\",instance=\"\(instance)\"}" }
}
