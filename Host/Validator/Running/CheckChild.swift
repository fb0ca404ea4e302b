// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CValidator
internal import FoundationEssentials
internal import Glibc
internal import Runtime
package import TheatreManifest

/// The child's side: runs one check and says on descriptor 3 what it found.
package enum CheckChild {
    /// Runs the check and ends the process.
    ///
    /// - Parameters:
    ///   - folder: the check's own, which becomes the working folder.
    ///   - configuration: the operator's, or nil.
    package static func run(
        library: String, check id: String, seed: UInt64, folder: String, configuration: JSONValue?, isQuick: Bool
    ) -> Never {
        validator_child_limits()
        chdir(folder)
        guard let check = CheckTable.all.first(where: { $0.id == id }) else {
            say(["result": .object(["skipped": .string("there is no check \(id)")])])
            _exit(0)
        }
        let before = [ProcessSnapshot.size(1), ProcessSnapshot.size(2)]
        say(["result": result(check, library, seed, folder, configuration, isQuick, before)])
        _exit(0)
    }

    private static func result(
        _ check: LibraryCheck, _ library: String, _ seed: UInt64, _ folder: String, _ configuration: JSONValue?,
        _ isQuick: Bool, _ before: [Int64]
    ) -> JSONValue {
        let subject: Subject
        do {
            subject = try Subject(
                library: library, seed: seed, folder: folder, configuration: configuration, isQuick: isQuick)
        } catch {
            return report([finding(error)], [:], nil)
        }
        var run = CheckRun(subject) { say(["at": .string($0)]) }
        var skipped: String?
        do {
            if subject.isIsolatedOnly, let why = check.leftOutIsolated {
                throw Skip("it runs isolated only: \(why)")
            }
            try check.body(&run)
        } catch let skip as Skip { skipped = skip.why } catch { run.fail(finding(error)) }
        // The load check has a reason of its own for it.
        if check.id != "load", [ProcessSnapshot.size(1), ProcessSnapshot.size(2)] != before {
            run.fail("validator.output", "Bytes were written to standard output or error.")
        }
        return report(run.findings, run.evidence, skipped)
    }

    private static func finding(_ error: any Error) -> Finding {
        switch error {
        case let finding as Finding: finding
        case let error as LoadError: Finding(error.code, "\(error)")
        default: Finding("validator.unreadable", "The library cannot be read: \(error).")
        }
    }

    private static func report(
        _ findings: [Finding], _ evidence: [String: JSONValue], _ skipped: String?
    ) -> JSONValue {
        var members: [String: JSONValue] = [
            "findings": .array(
                findings.map { .object(["reason": .string($0.reason), "message": .string($0.message)]) }),
            "evidence": .object(evidence),
        ]
        if let skipped { members["skipped"] = .string(skipped) }
        return .object(members)
    }

    /// One line on descriptor 3.
    private static func say(_ members: [String: JSONValue]) {
        guard var line = try? JSONValue.object(members).json() else { return }
        line.append(10)
        line.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = write(3, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}
