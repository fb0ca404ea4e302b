// TheatreOS
// SPDX-License-Identifier: Apache-2.0

package import FoundationEssentials
internal import Glibc
internal import Runtime
internal import TheatreManifest

/// A validation of one library: which checks, and how.
package struct Validation: Sendable {
    /// Path of `libNAME.so`.
    package var library: String
    /// Only what ends within a second or two.
    package var isQuick = false
    /// Ids of checks; empty for all.
    package var only: [String] = []
    /// Of everything random.
    package var seed: UInt64
    /// A JSON file with the instance's configuration, or nil for the schema's defaults.
    package var configuration: String?
    /// The program whose hidden command runs one check.
    package var program: String
    /// Checks that run at once.
    package var width = 2

    /// A validation with everything at its default.
    package init(library: String, seed: UInt64, program: String) {
        self.library = library.hasPrefix("/") ? library : FileManager.default.currentDirectoryPath + "/" + library
        self.seed = seed
        self.program = program
    }

    /// Ids named by `only` that there are not.
    package var unknown: [String] { only.filter { id in !CheckTable.all.contains { $0.id == id } } }

    private var checks: [LibraryCheck] {
        CheckTable.all.filter { check in
            only.isEmpty ? check.isQuick || !isQuick : only.contains(check.id)
        }
    }

    /// Runs the checks, each in a child, and reports. Blocks the caller.
    ///
    /// - Parameter progress: told each verdict as it is there, on some thread.
    /// - Throws: where no child can be started or no folder made; what is wrong with the library is in the report.
    package func run(progress: @escaping @Sendable (Verdict) -> Void = { _ in }) throws -> ValidationReport {
        let folder = try Self.temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let name = Subject.name(of: library)
        var verdicts: [Verdict] = []
        let file: PluginFile
        do throws(LoadError) {
            file = try PluginFile(name: name, path: library)
            if let fault = file.fault { throw fault }
        } catch {
            let found = verdict(CheckTable.file, failed: Finding(error.code, "\(error)"))
            progress(found)
            return ValidationReport(self, name: name, file: nil, verdicts: [found])
        }
        var rest = checks
        for gate in CheckTable.gates {
            verdicts += try run(rest.filter { gate.contains($0.id) }, folder, progress)
            rest.removeAll { gate.contains($0.id) }
            let (skipped, why) = Self.stopped(by: verdicts, rest)
            verdicts += skipped.map { verdict($0, skipped: why) }
            rest.removeAll { check in skipped.contains { $0.id == check.id } }
        }
        verdicts += try run(rest, folder, progress)
        let order = Dictionary(uniqueKeysWithValues: CheckTable.all.enumerated().map { ($1.id, $0) })
        verdicts.sort { order[$0.id, default: 0] < order[$1.id, default: 0] }
        return ValidationReport(self, name: name, file: file, verdicts: verdicts)
    }

    /// Checks that cannot be made after what was found so far, and why.
    private static func stopped(by verdicts: [Verdict], _ rest: [LibraryCheck]) -> ([LibraryCheck], String) {
        if let load = verdicts.first(where: { $0.id == "load" }), load.findings.contains(where: Self.stops) {
            return (rest, "the library does not load")
        }
        guard let life = verdicts.first(where: { $0.id == "life" }) else { return ([], "") }
        let needing = rest.filter(\.needsLife)
        if case .skipped(let why) = life.outcome { return (needing, why) }
        return life.findings.contains(where: Self.stops) ? (needing, "no instance lives; see life") : ([], "")
    }

    private static func stops(_ finding: Finding) -> Bool {
        finding.reason.hasPrefix("plugin.")
            || ["validator.crashed", "validator.hung", "validator.exited", "validator.create_refused"]
                .contains(finding.reason)
    }

    private func verdict(_ check: LibraryCheck, failed finding: Finding) -> Verdict {
        Verdict(id: check.id, title: check.title, outcome: .failed, findings: [finding], seed: seed)
    }

    private func verdict(_ check: LibraryCheck, skipped why: String) -> Verdict {
        Verdict(id: check.id, title: check.title, outcome: .skipped(why), seed: seed)
    }

    /// Runs checks `width` at a time and returns their verdicts in order.
    private func run(
        _ checks: [LibraryCheck], _ folder: String, _ progress: @escaping @Sendable (Verdict) -> Void
    ) throws -> [Verdict] {
        struct Work {
            var next = 0
            var done: [Int: Verdict] = [:]
            var failure: (any Error)?
        }
        let work = Monitor(Work())
        for _ in 0..<min(width, checks.count) {
            SerialThread().enqueue {
                while let index = work.withLock({ state -> Int? in
                    guard state.next < checks.count, state.failure == nil else { return nil }
                    state.next += 1
                    return state.next - 1
                }) {
                    do {
                        let verdict = try self.run(checks[index], folder)
                        progress(verdict)
                        work.withLock { $0.done[index] = verdict }
                    } catch { work.withLock { $0.failure = error } }
                }
            }
        }
        let done = work.wait(milliseconds: 86_400_000) { state in
            state.done.count == checks.count || state.failure != nil ? (state.done, state.failure) : nil
        }
        if let failure = done?.1 { throw failure }
        return checks.indices.compactMap { done?.0[$0] }
    }

    private func run(_ check: LibraryCheck, _ folder: String) throws -> Verdict {
        let own = "\(folder)/\(check.id)"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        var arguments = [
            "plugin", "check-one", library, "--check", check.id, "--seed", "\(seed)", "--folder", own,
        ]
        if let configuration { arguments += ["--config", configuration] }
        if isQuick { arguments.append("--quick") }
        let child = ChildProcess(
            program: program, arguments: arguments, outputPath: "\(folder)/\(check.id).out",
            limitSeconds: check.limitSeconds)
        var verdict = Verdict(id: check.id, title: check.title, outcome: .passed, seed: seed)
        verdict.conclude(try child.run())
        return verdict
    }

    private static func temporaryFolder() throws -> String {
        var template = Array("\(FileManager.default.temporaryDirectory.path)/theatre-validate-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ChildProcess.Unopened(path: "a temporary folder", code: errno)
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
