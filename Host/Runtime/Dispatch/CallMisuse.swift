// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A call that an instance did not complete as the interface says: once, in time, with an answer that can be read.
///
/// Each is counted; of each kind an instance's first is told at once, and the next after a minute at the earliest.
public struct CallMisuse: Sendable, Hashable {
    /// What went wrong.
    public enum Kind: String, Sendable, CaseIterable {
        /// The deadline passed and the call was not completed.
        case never
        /// Completed after the deadline.
        case late
        /// Completed although it had ended.
        case double
        /// Another instance's call, or none.
        case foreign
        /// The result, or the message in it, cannot be read.
        case malformed
    }

    /// What went wrong.
    public var kind: Kind
    /// `capability/Operation`; empty where it is not known any more.
    public var operation: String
    /// What was expected.
    public var expected: String
    /// What was found.
    public var found: String
    /// What to do.
    public var fix: String
    /// How many since the one that was told before, with this one.
    public var count: UInt64
}

extension CallMisuse.Kind {
    var expected: String {
        switch self {
        case .never: "a completion before the deadline"
        case .late: "a completion before the deadline, after which the caller waits no more"
        case .double: "one completion of each call"
        case .foreign: "completions of calls that this instance was given"
        case .malformed: "a result that can be read"
        }
    }

    var fix: String {
        switch self {
        case .never:
            "complete every call, with an error at the latest when it is cancelled; or let its callers wait longer"
        case .late: "end the work when the call is cancelled, or let its callers wait longer"
        case .double: "complete a call once, and not at all where invoke rejected it"
        case .foreign: "complete with the id of the request, through the host table of the instance that was given it"
        case .malformed: "fill in theatre_result as theatre_plugin.h says, with a message of the operation's contract"
        }
    }
}
