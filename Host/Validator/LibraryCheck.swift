// TheatreOS
// SPDX-License-Identifier: Apache-2.0

package import TheatreManifest

/// One thing that the validator proves of a library.
package struct LibraryCheck: Sendable {
    /// Stable, lower-case: what `--only` and a badge name it by.
    package let id: String
    /// What is proved, half a sentence.
    package let title: String
    /// Ends within a second or two: part of `--quick`.
    package let isQuick: Bool
    /// Begins with a READY instance: not tried where the check of one whole life did not get there.
    let needsLife: Bool
    /// Why it is not made of a library that runs `isolated` only; nil where it is, by way of the runner.
    let leftOutIsolated: String?
    /// Longest run of the whole check.
    package let limitSeconds: Int
    /// The body, which runs in a child process of its own.
    ///
    /// - Throws: `Skip` where the library gives it nothing to prove, `Finding` for the first fault where nothing after it
    ///   can be told.
    let body: @Sendable (inout CheckRun) throws -> Void

    init(
        _ id: String, _ title: String, quick: Bool, limit: Int, needsLife: Bool = true,
        leftOutIsolated: String? = nil, _ body: @escaping @Sendable (inout CheckRun) throws -> Void
    ) {
        self.id = id
        self.title = title
        self.isQuick = quick
        self.needsLife = needsLife
        self.leftOutIsolated = leftOutIsolated
        self.limitSeconds = limit
        self.body = body
    }
}

/// One fault of a library.
package struct Finding: Error, Sendable, Hashable {
    /// Stable reason.
    package var reason: String
    /// One sentence: what was expected and what was found.
    package var message: String

    init(_ reason: String, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// Of a call that was taken; nothing after it can be told in reasonable time.
    static func neverCompleted(_ operation: String) -> Finding {
        Finding("validator.never_completes", "A call of \(operation) was accepted and never completed.")
    }
}

/// Why a check cannot be made of this library.
struct Skip: Error, Sendable {
    let why: String

    init(_ why: String) { self.why = why }
}

/// One run of a check: what it is made of, and what it found.
struct CheckRun {
    let subject: Subject
    /// Tells the parent where the check is, so that a hang or a crash says what it was in.
    let progress: @Sendable (String) -> Void
    private(set) var findings: [Finding] = []
    /// What was measured or seen.
    private(set) var evidence: [String: JSONValue] = [:]
    private var seen: Set<String> = []

    init(_ subject: Subject, progress: @escaping @Sendable (String) -> Void) {
        self.subject = subject
        self.progress = progress
    }

    /// Notes a fault; at most three of one reason, which is enough to look for.
    mutating func fail(_ reason: String, _ message: String) {
        guard findings.count(where: { $0.reason == reason }) < 3, seen.insert(reason + message).inserted else { return }
        findings.append(Finding(reason, message))
    }

    mutating func fail(_ finding: Finding) { fail(finding.reason, finding.message) }

    /// Notes what was seen.
    mutating func note(_ key: String, _ value: JSONValue) { evidence[key] = value }
    mutating func note(_ key: String, _ value: Int) { evidence[key] = .integer(Int64(value)) }
    mutating func note(_ key: String, _ value: [String]) { evidence[key] = .array(value.map { .string($0) }) }
    mutating func note(_ key: String, _ value: String) { evidence[key] = .string(value) }

    /// Takes over what a recording host saw against the rules.
    mutating func take(_ trial: Trial) { for finding in trial.host.violations { fail(finding) } }
}
