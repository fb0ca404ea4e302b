// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// How a payment is to misbehave.
enum Fault: String, Sendable, CaseIterable {
    /// Not at all.
    case none = ""
    /// Its notification comes three times.
    case duplicate
    /// Its notification comes late: after queries have told the end, and after notifications of its refunds.
    case reorder
    /// The payer takes two seconds.
    case delay
    /// A notification with a wrong signature comes first.
    case forge
    /// Its notification tells one minor unit too many, correctly signed.
    case alterAmount = "alter_amount"
    /// No notification comes.
    case drop
    /// It is kept, and its maker gets no answer.
    case unknown
    /// The payer's bank declines.
    case fail
    /// Its refunds are kept, and their makers get no answer.
    case refundUnknown = "refund_unknown"
    /// Its refunds are declined.
    case refundFail = "refund_fail"

    /// What the payer waits beyond the configured delay, in milliseconds.
    var payingDelay: Int64 { self == .delay ? 2000 : 0 }
    /// What its notification waits, in milliseconds.
    var notifyingDelay: Int64 { self == .reorder ? 5000 : 0 }
    /// How often its notification is delivered.
    var deliveries: Int { self == .duplicate ? 3 : 1 }
}
