// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc

/// `wrk` with 64 connections that post a small JSON document.
struct LoadGenerator {
    /// Header fields of each request.
    let headerCount = 7
    private let script: String

    static var isInstalled: Bool { access("/usr/bin/wrk", X_OK) == 0 }

    init(token: String) throws {
        script = FileManager.default.temporaryDirectory.appending(path: "theatre-bench-\(getpid()).lua").path
        let text = """
            wrk.method = "POST"
            wrk.body = '{"name":"a thing","count":3,"note":"sixty-four bytes or so of it"}'
            wrk.headers["authorization"] = "Bearer \(token)"
            wrk.headers["content-type"] = "application/json"
            wrk.headers["accept"] = "application/json"
            wrk.headers["user-agent"] = "wrk"
            wrk.headers["accept-language"] = "en"
            """
        try Data(text.utf8).write(to: URL(filePath: script))
    }

    /// Requests per second.
    @discardableResult
    func run(port: Int, path: String, seconds: Int) throws -> Double {
        let output = try Command.output(
            ["/usr/bin/wrk", "-t1", "-c64", "-d\(seconds)s", "-s", script, "http://127.0.0.1:\(port)\(path)"])
        guard !output.contains("Non-2xx") else { throw BenchmarkFailure("\(path) answered errors: \(output)") }
        guard let line = output.split(separator: "\n").first(where: { $0.contains("Requests/sec:") }),
            let word = line.split(separator: " ").last, let value = Double(word)
        else { throw BenchmarkFailure("wrk said: \(output)") }
        return value
    }
}
