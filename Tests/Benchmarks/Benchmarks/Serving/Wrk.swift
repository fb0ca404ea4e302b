// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// `wrk` with a script of one's own.
struct Wrk {
    private let script: String

    static let program = "/usr/bin/wrk"

    /// - Parameters:
    ///   - folder: where the script is put.
    ///   - lua: what it does besides telling what it measured.
    init(_ folder: String, _ name: String, _ lua: String) throws {
        script = "\(folder)/\(name).lua"
        let telling = """

            function done(summary, latency, requests)
              io.write(string.format("figures %d %d %f %d\\n", summary.requests, summary.duration,
                latency:percentile(95) / 1000, summary.errors.status + summary.errors.timeout + summary.errors.read))
            end

            """
        try Data((lua + telling).utf8).write(to: URL(filePath: script))
    }

    /// What a run found.
    struct Figures {
        let requests: Int
        let perSecond: Double
        /// 95 of 100 were answered within so many milliseconds.
        let p95: Double
    }

    /// Sends for some seconds; with `arguments` for the script.
    ///
    /// - Throws: where a request failed.
    func run(port: Int, path: String, connections: Int, seconds: Int, _ arguments: [String] = []) throws -> Figures {
        let output = try Command.output(
            [
                Self.program, "-t1", "-c\(connections)", "-d\(seconds)s", "--timeout", "30s", "-s", script,
                "http://127.0.0.1:\(port)\(path)", "--",
            ] + arguments)
        let words = output.split(separator: "\n").first { $0.hasPrefix("figures ") }?.split(separator: " ") ?? []
        guard words.count == 5, let requests = Int(words[1]), let microseconds = Double(words[2]),
            let p95 = Double(words[3])
        else { throw BenchmarkFailure("wrk said: \(output)") }
        guard words[4] == "0" else { throw BenchmarkFailure("\(path) answered errors: \(output)") }
        return Figures(requests: requests, perSecond: Double(requests) * 1e6 / microseconds, p95: p95)
    }
}
