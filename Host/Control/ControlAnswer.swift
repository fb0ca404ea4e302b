// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreManifest

/// What a host answers on its control socket: `{"ok": true, "result": …}`, or
/// `{"ok": false, "reason": "plugins.unknown_instance", "message": "…"}`.
public enum ControlAnswer {
    /// What was asked for.
    public static func success(_ result: JSONValue) -> JSONValue { .object(["ok": .bool(true), "result": result]) }

    /// Why it was not done.
    public static func failure(_ reason: String, _ message: String) -> JSONValue {
        .object(["ok": .bool(false), "reason": .string(reason), "message": .string(message)])
    }

    /// The result of an answer.
    ///
    /// - Throws: ``ControlRefusal`` with what the host said, or ``ControlFailure`` where it is no answer.
    public static func result(of answer: JSONValue) throws -> JSONValue {
        if answer["ok"] == .bool(true), let result = answer["result"] { return result }
        guard let reason = answer["reason"]?.string, let message = answer["message"]?.string else {
            throw ControlFailure("the host answered what cannot be understood; both must be of one version")
        }
        throw ControlRefusal(reason: reason, message: message)
    }
}

/// A host refused what it was asked.
public struct ControlRefusal: Error, Sendable, CustomStringConvertible {
    /// Stable dotted code.
    public let reason: String
    /// One sentence with the fix.
    public let message: String
    /// Both.
    public var description: String { "\(reason): \(message)" }
}
