// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Testing
import TheatreManifest

@testable import Validator

/// `theatre plugin validate` as a person runs it.
@Suite(.serialized) struct CommandTests {
    private let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/theatre-command-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// Runs the command and returns its status and what it printed.
    private func validate(_ name: String, _ options: [String]) throws -> (status: Int32, output: String) {
        let path = "\(folder)/output"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let program = "\(BuiltLibraries.folder)/theatre"
        let library = "\(BuiltLibraries.folder)/lib\(name).so"
        let strings = ([program, "plugin", "validate", library] + options).map { strdup($0) }
        defer { strings.forEach { free($0) } }
        var process: pid_t = 0
        try #require(posix_spawn(&process, program, &actions, nil, strings + [nil], environ) == 0)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        return (status >> 8 & 0xFF, try String(contentsOf: URL(filePath: path), encoding: .utf8))
    }

    @Test func aSoundLibraryEndsWithZeroAndABadge() throws {
        let badge = "\(folder)/badge.json"
        let result = try validate("Good", ["--quick", "--seed", "11", "--badge", badge])
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.contains("seed 11") && result.output.contains("nothing is wrong"))
        let value = try JSONValue(json: Data(contentsOf: URL(filePath: badge)))
        #expect(value["digest"]?.string?.count == 64 && value["kit"]?.string == ValidationReport.kit)
        #expect(value["ok"]?.bool == true && value["profile"]?.string == "quick")
        #expect(value["checks"]?["borrowed"]?.string == "passed")
    }

    @Test func aBadLibraryEndsWithOneAndItsReason() throws {
        let result = try validate("CompletesTwice", ["--only", "calls", "--json"])
        #expect(result.status == 1)
        let value = try JSONValue(json: Data(result.output.utf8))
        #expect(value["ok"]?.bool == false)
        #expect(
            value["checks"]?.array?.first?["findings"]?.array?.first?["reason"]?.string == "validator.completes_twice")
    }

    @Test func anUnknownCheckIsNamedWithTheNearest() throws {
        let result = try validate("Good", ["--only", "borowed"])
        #expect(result.status != 0 && result.output.contains("did you mean borrowed?"), "\(result.output)")
    }

    @Test func theSameSeedGivesTheSameVerdict() throws {
        let first = try validate("Gullible", ["--only", "garbage", "--seed", "3"])
        let second = try validate("Gullible", ["--only", "garbage", "--seed", "3"])
        #expect(first.output == second.output && first.status == 1)
    }
}
