// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// All samples of one metric, as at one moment.
public struct MetricFamily: Sendable, Hashable {
    /// `[a-z_:][a-z0-9_:]*`; counters end in `_total`.
    public var name: String
    /// Its type.
    public var kind: Kind
    /// One sentence.
    public var help: String
    /// In any order; the text is sorted.
    public var samples: [MetricSample]

    /// A family.
    public init(_ name: String, _ kind: Kind, _ help: String, _ samples: [MetricSample]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }

    /// Types of the Prometheus text format.
    public enum Kind: String, Sendable, Hashable {
        case counter, gauge, histogram
    }
}

/// One figure of a family.
public struct MetricSample: Sendable, Hashable {
    /// Names match `[a-z_][a-z0-9_]*`; values are any text.
    public var labels: [String: String]
    /// The figure.
    public var value: Double
    /// `_bucket`, `_sum` or `_count` for a histogram; else empty.
    public var suffix: String

    /// A figure.
    public init(_ labels: [String: String] = [:], _ value: Double, suffix: String = "") {
        self.labels = labels
        self.value = value
        self.suffix = suffix
    }
}
