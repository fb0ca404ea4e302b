// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import TheatrePluginTesting

/// A provider that does one thing otherwise than its contract says, and what its suite says of it.
struct Breach<Fault: Sendable>: Sendable, CustomTestStringConvertible {
    /// What the provider does wrong.
    let fault: Fault
    /// The case that notices.
    let rule: String
    /// What it says, or a part of that.
    let words: String

    init(_ fault: Fault, _ rule: String, _ words: String) { (self.fault, self.rule, self.words) = (fault, rule, words) }

    var testDescription: String { "\(fault)" }

    /// Runs the case on a provider with the fault: it must fail, and say so.
    func isNoticed<Subject>(by cases: [SuiteCase<Subject>], _ subject: Subject) async throws {
        let noticing = try #require(cases.first { $0.name == rule }, "the suite has no case \(rule)")
        do {
            try await noticing.run(subject)
            Issue.record("\(rule) holds for a provider that \(fault)")
        } catch let failure as SuiteFailure {
            #expect(failure.description.contains(words), "\(rule) says: \(failure.description)")
        }
    }
}

/// State that the closures of a fake share.
final class Shared<Value: Sendable>: Sendable {
    private let stored: Mutex<Value>

    init(_ value: Value) { stored = Mutex(value) }

    func with<Result: Sendable>(_ body: (inout sending Value) throws -> sending Result) rethrows -> Result {
        try stored.withLock { try body(&$0) }
    }
}
