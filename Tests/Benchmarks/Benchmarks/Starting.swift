// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Baseline
import FoundationEssentials
import Glibc

/// The default deployment, from an empty state folder to ready.
enum Starting {
    static func run(program: String, folder: String, _ table: inout Table) throws {
        guard access(program, X_OK) == 0 else {
            print("\(program) is not built; no figures for the start (swift build -c release)")
            return
        }
        var milliseconds = Samples()
        var megabytes = Samples()
        for _ in 0..<10 {
            let (time, memory) = try start(program, folder)
            milliseconds.add(time)
            megabytes.add(memory)
        }
        table.add(
            Row("start of the default deployment to ready", unit: "ms", milliseconds, target: "< 500") { $0 < 500 })
        table.add(Row("resident memory once ready", unit: "MB", megabytes, target: "printed"))
    }

    /// Milliseconds to ready and megabytes then.
    private static func start(_ program: String, _ folder: String) throws -> (Double, Double) {
        let state = FileManager.default.temporaryDirectory.appending(path: "theatre-bench-\(baseline_now())").path
        defer { try? FileManager.default.removeItem(atPath: state) }
        var ready: [Int32] = [0, 0]
        guard pipe(&ready) == 0 else { throw BenchmarkFailure("no pipe") }
        for end in ready { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let log = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer {
            close(ready[0])
            close(log)
        }
        let began = baseline_now()
        let process = try Command.start(
            [program, "serve", "--port", "0", "--ready-fd", "3", "--state", state, "--plugins-d", folder], output: log,
            inherited: ready[1])
        close(ready[1])
        let line = Command.read(ready[0], until: 10)
        let time = Double(baseline_now() - began) / 1e6
        let memory = resident(process)
        kill(process, SIGTERM)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        guard line.contains("\"ready\"") else { throw BenchmarkFailure("the host did not become ready: \(line)") }
        return (time, memory)
    }

    private static func resident(_ process: pid_t) -> Double {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kilobytes = line.split(separator: " ").compactMap({ Double($0) }).first
        else { return 0 }
        return kilobytes / 1024
    }
}
