// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

extension JSONValue {
    /// A number, with or without a fraction.
    var real: Double? {
        switch self {
        case .number(let value): value
        case .integer(let value): Double(value)
        default: nil
        }
    }
}
