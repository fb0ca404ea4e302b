// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What one request for a text message meets instead of success.
public enum SMSFault: Sendable {
    /// The provider's code for a refusal.
    case code(String)
    /// A status and a body that are not the API's.
    case status(Int, String)
    /// Taken, and the answer comes late.
    case late(milliseconds: Int64)
    /// The connection is cut, after the message was taken where `taken`.
    case cut(taken: Bool)
}

/// A text message that was taken.
public struct EmulatedSMS: Sendable, Hashable {
    /// As sent.
    public var number: String
    /// The template's id.
    public var template: String
    /// Values by name, or by place from 0.
    public var values: [String: String]
    /// What the caller calls it.
    public var reference: String

    /// A message.
    public init(number: String, template: String, values: [String: String], reference: String) {
        self.number = number
        self.template = template
        self.values = values
        self.reference = reference
    }
}
