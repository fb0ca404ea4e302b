// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Renders families in the Prometheus text format, version 0.0.4.
public enum PrometheusText {
    /// For the Content-Type header.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// One block for each family name, in order of name; families of one name are joined, empty ones left out.
    public static func render(_ families: [MetricFamily]) -> String {
        var joined: [String: MetricFamily] = [:]
        for family in families {
            joined[family.name, default: MetricFamily(family.name, family.kind, family.help, [])].samples +=
                family.samples
        }
        var text = ""
        for family in joined.values.sorted(by: { $0.name < $1.name }) where !family.samples.isEmpty {
            text += "# HELP \(family.name) \(escapedHelp(family.help))\n# TYPE \(family.name) \(family.kind.rawValue)\n"
            if family.kind == .histogram {
                // Buckets must stay in order of their bounds.
                for sample in family.samples { text += line(family.name, sample) + "\n" }
            } else {
                for line in family.samples.map({ line(family.name, $0) }).sorted() { text += line + "\n" }
            }
        }
        return text
    }

    private static func line(_ name: String, _ sample: MetricSample) -> String {
        let labels = sample.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(escapedValue($0.value))\"" }
        let braces = labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}"
        return "\(name)\(sample.suffix)\(braces) \(number(sample.value))"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value), abs(value) < 1e15 { return String(whole) }
        return String(value)
    }

    private static func escapedHelp(_ text: String) -> String {
        text.map { $0 == "\\" ? "\\\\" : $0 == "\n" ? "\\n" : String($0) }.joined()
    }

    private static func escapedValue(_ text: String) -> String {
        text.map { $0 == "\\" ? "\\\\" : $0 == "\n" ? "\\n" : $0 == "\"" ? "\\\"" : String($0) }.joined()
    }
}
