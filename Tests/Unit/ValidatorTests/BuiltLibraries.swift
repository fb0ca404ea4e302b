// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreManifest

@testable import Validator

/// The libraries that stand beside this test, and the program that checks them.
enum BuiltLibraries {
    static let folder: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "."
        return own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "."
    }()

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// Every plugin of the package.
    static let plugins: [String] = {
        let files = FileManager.default
        func names(_ folder: String) -> [String] { ((try? files.contentsOfDirectory(atPath: folder)) ?? []).sorted() }
        return names("\(root)/Plugins").flatMap { group in
            names("\(root)/Plugins/\(group)").filter {
                files.fileExists(atPath: "\(root)/Plugins/\(group)/\($0)/plugin.json")
            }
        }
    }()

    static func validation(_ name: String, seed: UInt64 = 7) -> Validation {
        Validation(library: "\(folder)/lib\(name).so", seed: seed, program: "\(folder)/theatre")
    }

    struct NoVerdict: Error {}

    /// Runs one check of one library, with a configuration where one is given.
    static func verdict(_ name: String, _ check: String, _ configuration: JSONValue? = nil) throws -> Verdict {
        var validation = validation(name)
        validation.only = [check]
        let file = try configuration.map { try ConfigurationFile($0) }
        defer { withExtendedLifetime(file) {} }
        validation.configuration = file?.path
        let verdicts = try validation.run().verdicts
        guard let first = verdicts.first else { throw NoVerdict() }
        return first
    }
}

extension BuiltLibraries {
    /// The verdicts of cases by their names, in this order and so many at a time: each is a process of its own, and most of
    /// them wait. Empty where they take too long all together.
    static func verdicts<Case: Sendable & CustomTestStringConvertible>(
        of cases: [Case], atATime width: Int, _ verdict: @escaping @Sendable (Case) throws -> Verdict
    ) -> [String: Result<Verdict, any Error>] {
        let rest = Monitor(cases)
        let done = Monitor<[String: Result<Verdict, any Error>]>([:])
        for _ in 0..<width {
            SerialThread().enqueue {
                while let next = rest.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
                    let found = Result { try verdict(next) }
                    done.withLock { $0[next.testDescription] = found }
                }
            }
        }
        return done.wait(milliseconds: 1_500_000) { $0.count == cases.count ? $0 : nil } ?? [:]
    }
}

/// What --config names; removed with the value.
final class ConfigurationFile {
    let path: String

    init(_ configuration: JSONValue) throws {
        path = FileManager.default.temporaryDirectory.path + "/theatre-config-\(UInt64.random(in: 0 ... .max)).json"
        try configuration.json().write(to: URL(filePath: path))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

extension ValidationReport {
    /// What is wrong, for a test's message.
    var faults: [String] {
        verdicts.flatMap { verdict in verdict.findings.map { "\(verdict.id): \($0.reason): \($0.message)" } }
    }
}
