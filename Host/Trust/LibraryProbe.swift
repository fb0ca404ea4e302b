// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import FoundationEssentials
internal import Glibc
public import Runtime
internal import TheatreManifest

/// Tries libraries in a child of the host before they are loaded here, once for each build of the library and of the
/// host: what crashes or hangs there is refused here.
///
/// Its functions block.
public struct LibraryProbe: Sendable {
    private let program: String
    private let folder: String
    private let build: String
    private let seconds: Int

    /// A probe.
    ///
    /// - Parameters:
    ///   - program: file of this program, which knows the command `probe-library`.
    ///   - folder: keeps the verdicts, one file each.
    ///   - version: of this program.
    ///   - seconds: longest trial.
    public init(program: String, folder: String, version: String, seconds: Int) {
        self.program = program
        self.folder = folder
        self.seconds = seconds
        build = Self.build(of: program, version)
    }

    /// What came of a trial.
    struct Verdict: Equatable {
        /// `passed`, `answered`, `crashed`, `hangs` or `ended`.
        var outcome: String
        /// What it said or how it ended.
        var found: String

        var isGood: Bool { outcome == "passed" || outcome == "answered" }
    }

    /// Returns where the library may be loaded; throws `probe.crashed`, `probe.hangs` or `probe.ended`.
    public func check(_ plan: InstancePlan) throws(LoadError) {
        let path = "\(folder)/\(plan.file.digest).json"
        let known = kept(path)
        let verdict: Verdict
        if let known {
            verdict = known
        } else {
            verdict = try tried(plan)
            keep(verdict, path, plan.file.manifest.name)
        }
        guard !verdict.isGood else { return }
        let (title, expected) = (
            "\(plan.name) (\(plan.file.manifest.name))",
            "a library that is created, tested and destroyed in a child process"
        )
        let fix = "correct the library; to try the same build again, remove \(path)"
        switch verdict.outcome {
        case "crashed":
            throw LoadError(plugin: title, code: "probe.crashed", expected: expected, found: verdict.found, fix: fix)
        case "hangs":
            throw LoadError(plugin: title, code: "probe.hangs", expected: expected, found: verdict.found, fix: fix)
        default:
            throw LoadError(plugin: title, code: "probe.ended", expected: expected, found: verdict.found, fix: fix)
        }
    }

    // MARK: what is kept

    private func kept(_ path: String) -> Verdict? {
        guard let data = try? Data(contentsOf: URL(filePath: path)), let value = try? JSONValue(json: data),
            value["build"]?.string == build, value["revision"]?.integer == Int64(THEATRE_ABI_REVISION),
            let outcome = value["verdict"]?.string, let found = value["found"]?.string
        else { return nil }
        return Verdict(outcome: outcome, found: found)
    }

    /// A verdict that cannot be kept is only made again.
    private func keep(_ verdict: Verdict, _ path: String, _ plugin: String) {
        let value = JSONValue.object([
            "plugin": .string(plugin), "build": .string(build), "revision": .integer(Int64(THEATRE_ABI_REVISION)),
            "verdict": .string(verdict.outcome), "found": .string(verdict.found),
        ])
        if let data = try? value.json() { _ = try? data.write(to: URL(filePath: path), options: .atomic) }
    }

    private static func build(of program: String, _ version: String) -> String {
        var facts = stat()
        guard stat(program, &facts) == 0 else { return version }
        return "\(version) \(facts.st_size) \(facts.st_mtim.tv_sec).\(facts.st_mtim.tv_nsec)"
    }

    // MARK: the child

    private func tried(_ plan: InstancePlan) throws(LoadError) -> Verdict {
        let state = "\(folder)/\(plan.file.digest).state", output = "\(folder)/\(plan.file.digest).out"
        let input = "\(folder)/\(plan.file.digest).in"
        defer { for path in [state, input, output] { try? FileManager.default.removeItem(atPath: path) } }
        let request = JSONValue.object([
            "plugin": .string(plan.file.manifest.name), "instance": .string(plan.name),
            "digest": .string(plan.file.digest), "state": .string(state), "seconds": .integer(Int64(seconds)),
            "configuration": .string(String(decoding: plan.configuration, as: UTF8.self)),
        ])
        do {
            try FileManager.default.createDirectory(
                atPath: state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try request.json().write(to: URL(filePath: input))
        } catch {
            throw failure(plan, "\(error)")
        }
        let image = try plan.file.sealedCopy()
        defer { close(image) }
        guard let child = spawned(input: input, output: output, image: image) else {
            throw failure(plan, "no process: \(String(cString: strerror(errno)))")
        }
        let said = { Self.end(of: output) }
        guard let status = awaited(child) else { return Verdict(outcome: "hangs", found: "no end within \(seconds) s") }
        let signal = status & 0x7f
        guard signal == 0 else {
            let name = strsignal(signal).map { String(cString: $0) } ?? "signal \(signal)"
            return Verdict(outcome: "crashed", found: "\(name)\(said())")
        }
        switch status >> 8 & 0xff {
        case 0: return Verdict(outcome: "passed", found: "")
        case Self.answeredStatus: return Verdict(outcome: "answered", found: said())
        case let code: return Verdict(outcome: "ended", found: "status \(code)\(said())")
        }
    }

    /// Status of a child whose library answered an error.
    public static let answeredStatus: Int32 = 3

    private func failure(_ plan: InstancePlan, _ found: String) -> LoadError {
        LoadError(
            plugin: "\(plan.name) (\(plan.file.manifest.name))", code: "probe.impossible",
            expected: "a child process that tries the library, and \(folder) to be writable", found: found,
            fix: "make it possible, or set probe: never under trust in 00-host.yaml")
    }

    /// Its input as descriptor 0, its output as 1 and 2, the library as 3.
    private func spawned(input: String, output: String, image: Int32) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_adddup2(&actions, image, 3)
        let arguments = [program, "probe-library"].map { (text: String) in strdup(text) } + [nil]
        // A crash is told by its signal; the runtime's own report would cost a second.
        let environment =
            ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("THEATRE_") }
            .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var child: pid_t = 0
        return posix_spawn(&child, program, &actions, nil, arguments, environment) == 0 ? child : nil
    }

    /// The status of a child; nil where it had to be killed.
    private func awaited(_ child: pid_t) -> Int32? {
        var status: Int32 = 0
        for _ in 0..<(seconds * 500) {
            if waitpid(child, &status, WNOHANG) == child { return status }
            var pause = timespec(tv_sec: 0, tv_nsec: 2_000_000)
            nanosleep(&pause, nil)
        }
        kill(child, SIGKILL)
        waitpid(child, &status, 0)
        return nil
    }

    private static func end(of output: String) -> String {
        guard let data = try? Data(contentsOf: URL(filePath: output)), !data.isEmpty else { return "" }
        let text = String(decoding: data.suffix(500), as: UTF8.self)
        return ": " + text.split(separator: "\n").joined(separator: " ")
    }
}
