// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SeededRandom

/// Schemathesis, which knows of a server only what its OpenAPI document says: `Tests/Fuzzing/README.md`.
struct APIFuzzer {
    private let program: String

    /// Finds it, and installs it into the build folder where it is not there.
    init() async throws {
        let (status, output) = try await Self.run(["\(Sources.root)/Tests/Fuzzing/schemathesis"], seconds: 300)
        let path = output.split(separator: "\n").last.map(String.init) ?? ""
        guard status == 0, path.hasPrefix("/") else { throw Unexpected("there is no schemathesis: \(output)") }
        program = path
    }

    /// What it found, in its own words; empty where it found nothing.
    ///
    /// - Parameters:
    ///   - token: whom it speaks for.
    ///   - options: of `schemathesis run`.
    func findings(_ server: ServerProcess, token: String, seed: UInt64, options: [String]) async throws -> String {
        let command = [
            program, "--config-file", "\(Sources.root)/Tests/Fuzzing/schemathesis.toml", "run",
            "\(server.url)/openapi.json",
            "--header", "Authorization: Bearer \(token)", "--seed", "\(seed)", "--no-color",
        ]
        let plan = FuzzPlan.current
        let (status, output) = try await Self.run(command + options, seconds: 240 + 2 * 60 * plan.minutes)
        guard status != 0 else { return "" }
        let start = output.firstRange(of: "= ERRORS =") ?? output.firstRange(of: "= FAILURES =")
        return "seed \(seed):\n" + output[(start?.lowerBound ?? output.startIndex)...].prefix(20_000)
    }

    private static func run(_ command: [String], seconds: Int) async throws -> (Int32, String) {
        let folder = try TemporaryFolder()
        let environment = [
            "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "120",
            "SCHEMATHESIS_HOOKS": "\(Sources.root)/Tests/Fuzzing/leaks.py",
        ]
        // It keeps what it found where it stands.
        let child = try ChildProcess(
            command: ["env", "-C", folder.root] + command, output: folder.path("log"), environment: environment)
        let status = try await child.end(seconds: seconds)
        return (status, child.output)
    }
}
