// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import FoundationEssentials
internal import Glibc
internal import Isolation
public import Runtime
internal import TheatreManifest

/// Tries libraries in a child of the host before they are loaded here, once for each build of the library and of the
/// host: what crashes or hangs there is refused here. What may be the moment's fault is tried again each time.
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
        /// It says something of the library, and not of the moment: a machine that was slow, or had no memory left.
        var isLasting = false

        var isGood: Bool { outcome == "passed" || outcome == "answered" }
    }

    /// Returns where the library may be loaded; throws `probe.crashed`, `probe.hangs` or `probe.ended`.
    public func check(_ plan: InstancePlan) throws(LoadError) {
        let path = "\(folder)/\(plan.file.digest).json"
        let known = kept(path)
        var verdict: Verdict
        if let known { verdict = known } else { verdict = try tried(plan) }
        if known == nil, verdict.isLasting { verdict.found += keep(verdict, path, plan.file.manifest.name) }
        guard !verdict.isGood else { return }
        let (title, expected) = (
            "\(plan.name) (\(plan.file.manifest.name))",
            "a library that is created, tested and destroyed in a child process"
        )
        let fix =
            verdict.isLasting
            ? "correct the library; to try the same build again, remove \(path)"
            : "correct the library, or see to the machine; the same build is tried again the next time"
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

    /// A file that cannot be understood is of no use: the library is tried again.
    private func kept(_ path: String) -> Verdict? {
        let value: JSONValue
        do { value = try JSONValue(json: Data(contentsOf: URL(filePath: path))) } catch { return nil }
        guard value["build"]?.string == build, value["revision"]?.integer == Int64(THEATRE_ABI_REVISION),
            let outcome = value["verdict"]?.string, let found = value["found"]?.string
        else { return nil }
        return Verdict(outcome: outcome, found: found, isLasting: true)
    }

    /// Keeps a verdict; a clause on why it cannot be kept, or nothing. It is only made again then.
    private func keep(_ verdict: Verdict, _ path: String, _ plugin: String) -> String {
        let value = JSONValue.object([
            "plugin": .string(plugin), "build": .string(build), "revision": .integer(Int64(THEATRE_ABI_REVISION)),
            "verdict": .string(verdict.outcome), "found": .string(verdict.found),
        ])
        do {
            try value.json().write(to: URL(filePath: path), options: .atomic)
            return ""
        } catch {
            return " (this verdict cannot be kept: \(error))"
        }
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
        let image = try plan.file.image.sealed()
        let ending: ChildProgram.Ending
        do {
            ending = try child(input: input, output: output, image: image).end(milliseconds: seconds * 1000)
        } catch {
            throw failure(plan, "no process: \(error)")
        }
        return Self.verdict(ending, said: Self.end(of: output), seconds)
    }

    private static func verdict(_ ending: ChildProgram.Ending, said: String, _ seconds: Int) -> Verdict {
        switch ending {
        case .late: return Verdict(outcome: "hangs", found: "no end within \(seconds) s\(said)")
        case .signal(let signal):
            let name = strsignal(signal).map { String(cString: $0) } ?? "signal \(signal)"
            return Verdict(outcome: "crashed", found: "\(name)\(said)", isLasting: !passing.contains(signal))
        case .exit(0): return Verdict(outcome: "passed", found: "", isLasting: true)
        case .exit(answeredStatus): return Verdict(outcome: "answered", found: said, isLasting: true)
        case .exit(let code): return Verdict(outcome: "ended", found: "status \(code)\(said)")
        }
    }

    /// Signals that come from outside: from the kernel where memory runs out, or from a person.
    private static let passing: Set<Int32> = [SIGHUP, SIGINT, SIGKILL, SIGTERM]

    /// Status of a child whose library answered an error.
    public static let answeredStatus: Int32 = 3

    private func failure(_ plan: InstancePlan, _ found: String) -> LoadError {
        LoadError(
            plugin: "\(plan.name) (\(plan.file.manifest.name))", code: "probe.impossible",
            expected: "a child process that tries the library, and \(folder) to be writable", found: found,
            fix: "make it possible, or set probe: never under trust in 00-host.yaml")
    }

    /// Its input as descriptor 0, its output as 1 and 2, the library as 3.
    private func child(input: String, output: String, image: Int32) throws -> ChildProgram {
        let opened = [open(input, O_RDONLY | O_CLOEXEC), open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)]
        defer { for descriptor in opened where descriptor >= 0 { close(descriptor) } }
        guard opened.allSatisfy({ $0 >= 0 }) else { throw TrustFailure(String(cString: strerror(errno))) }
        return try ChildProgram(
            path: program, arguments: ["probe-library"],
            environment: ChildProgram.environment(without: ["THEATRE_"]),
            descriptors: [opened[0], opened[1], opened[1], image])
    }

    private static func end(of output: String) -> String {
        let data: Data
        do { data = try Data(contentsOf: URL(filePath: output)) } catch { return ": what it said is lost: \(error)" }
        guard !data.isEmpty else { return "" }
        let text = String(decoding: data.suffix(500), as: UTF8.self)
        return ": " + text.split(separator: "\n").joined(separator: " ")
    }
}
