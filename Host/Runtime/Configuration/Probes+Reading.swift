// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
public import Registry
internal import TheatreManifest

extension Probes {
    /// Reads what probes found last: a JSON array of objects with `instance`, `capability`, `at` (RFC 3339) and, where it
    /// failed, `failure`, one clause, and `subject` where the host wrote it. They count as of now; one older than a day
    /// proves nothing.
    ///
    /// - Throws: `ManifestError` with a pointer.
    public init(json: Data) throws {
        guard let elements = try JSONValue(json: json).array else {
            throw ManifestError(code: "manifest.type", pointer: "", message: "is no array")
        }
        let results = try elements.enumerated().map { index, element in
            var reader = try ObjectReader(element, at: "/\(index)")
            let text = try reader.string("at")
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
            let at: Date
            do { at = try style.parse(text) } catch {
                throw ManifestError(
                    code: "manifest.type", pointer: "/\(index)/at", message: "is no time such as 2026-03-01T20:15:00Z")
            }
            let result = Result(
                instance: try reader.string("instance"), capability: try reader.string("capability"),
                failure: try reader.optionalString("failure"), at: Int64(at.timeIntervalSince1970 * 1000),
                subject: try reader.optionalString("subject"))
            try reader.finish()
            return result
        }
        self.init(results, now: Int64(Date().timeIntervalSince1970 * 1000))
    }

    /// As ``init(json:)`` reads it, one result a line.
    public func json() throws -> Data {
        let lines = try results.map { result in
            var members: [String: JSONValue] = [
                "instance": .string(result.instance), "capability": .string(result.capability),
                "at": .string(Date(timeIntervalSince1970: Double(result.at) / 1000).formatted(.iso8601)),
            ]
            members["failure"] = result.failure.map { .string($0) }
            members["subject"] = result.subject.map { .string($0) }
            return String(decoding: try JSONValue.object(members).json(), as: UTF8.self)
        }
        return Data("[\(lines.joined(separator: ",\n"))]\n".utf8)
    }
}
