// TheatreOS
// SPDX-License-Identifier: Apache-2.0

package import TheatreManifest

/// How one check ended.
package struct Verdict: Sendable {
    /// What became of it.
    package enum Outcome: Sendable, Hashable {
        /// What the check proves holds.
        case passed
        /// It does not; see the findings.
        case failed
        /// The library gives the check nothing to prove, or cannot be brought to where it begins.
        case skipped(String)
        /// The child ended by a signal.
        case crashed(signal: Int32)
        /// The child did not end in time.
        case hung(seconds: Int)
    }

    /// The check.
    package let id: String
    /// What it proves.
    package let title: String
    /// How it ended.
    package var outcome: Outcome
    /// What is wrong.
    package var findings: [Finding] = []
    /// What was measured or seen, by name.
    package var evidence: [String: JSONValue] = [:]
    /// Where the child last was.
    package var place = ""
    /// Milliseconds that it took.
    package var milliseconds = 0
    /// Of everything random in it.
    package let seed: UInt64

    /// Nothing is wrong.
    package var isSound: Bool {
        switch outcome {
        case .passed, .skipped: true
        case .failed, .crashed, .hung: false
        }
    }

    /// `passed`, `failed`, `skipped`, `crashed`, `hung`.
    package var word: String {
        switch outcome {
        case .passed: "passed"
        case .failed: "failed"
        case .skipped: "skipped"
        case .crashed: "crashed"
        case .hung: "hung"
        }
    }

    /// Reasons, most telling first: those of the findings, or `validator.crashed`, `validator.hung`.
    package var reasons: [String] { findings.map(\.reason) }
}

extension Verdict {
    /// Turns how the child ended into a verdict.
    mutating func conclude(_ ending: ChildProcess.Ending) {
        place = ending.place
        milliseconds = ending.milliseconds
        if let result = ending.result {
            read(result)
            return
        }
        let at = place.isEmpty ? "" : " during \(place)"
        switch ending.cause {
        case .signal(let number):
            outcome = .crashed(signal: number)
            findings = [Finding("validator.crashed", "The library ended its process with signal \(number)\(at).")]
        case .timeout(let seconds):
            outcome = .hung(seconds: seconds)
            findings = [Finding("validator.hung", "Nothing came back within \(seconds) s\(at).")]
        case .exit(let status):
            outcome = .failed
            findings = [
                Finding(
                    "validator.exited",
                    "The library ended its process with status \(status)\(at), which only the host may.")
            ]
        }
        if !ending.output.isEmpty { evidence["output"] = .string(ending.output) }
    }

    private mutating func read(_ result: JSONValue) {
        findings = (result["findings"]?.array ?? []).compactMap { value in
            guard let reason = value["reason"]?.string, let message = value["message"]?.string else { return nil }
            return Finding(reason, message)
        }
        evidence = result["evidence"]?.object ?? [:]
        if !findings.isEmpty {
            outcome = .failed
        } else if let why = result["skipped"]?.string {
            outcome = .skipped(why)
        } else {
            outcome = .passed
        }
    }
}
