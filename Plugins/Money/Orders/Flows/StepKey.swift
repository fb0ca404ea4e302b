// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Idempotency keys of what an order or refund does elsewhere: the same step has the same key for ever.
enum StepKey {
    private static let namespace = "0b0b6a52-4f1c-5f0e-8a3c-7a1d3c9d5e21"

    /// UUIDv5 of a step's name in the namespace of what it belongs to.
    static func of(_ id: String, _ step: String) throws -> String {
        guard let namespace = UUIDv5(namespace, id) else {
            throw PluginError(.internal, "orders.namespace", "The namespace of keys is not a UUID.")
        }
        return UUIDv5(namespace, step).description
    }
}
