// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
import SwiftProtobuf
public import TheatreContracts

extension SQLValue {
    /// An integer.
    public init(_ value: Int64) { self = .with { $0.integer = value } }
    /// A double.
    public init(real value: Double) { self = .with { $0.real = value } }
    /// A text.
    public init(_ value: String) { self = .with { $0.text = value } }
    /// Bytes.
    public init(_ value: Data) { self = .with { $0.blob = value } }
    /// 0 or 1.
    init(flag value: Bool) { self = .with { $0.integer = value ? 1 : 0 } }
    /// A text, or NULL where it is empty.
    init(orNull value: String) { self = value.isEmpty ? SQLValue() : SQLValue(value) }

    /// Refuses what a value says it is and is not.
    ///
    /// INVALID_ARGUMENT `sql.value` for a `json` that is none, and for a text with a zero byte, which PostgreSQL has not.
    public func check() throws(StorageError) {
        switch kind {
        case .json(let text) where JSONText.kind(of: text) == nil:
            throw StorageError(.invalidArgument, "sql.value", "A JSON value is no JSON.")
        case .text(let text) where text.utf8.contains(0):
            throw StorageError(.invalidArgument, "sql.value", "A text contains a zero byte; send it as bytes.")
        default: return
        }
    }
}
