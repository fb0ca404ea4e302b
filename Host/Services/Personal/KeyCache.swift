// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The last few of many values: of at most twice `half`, those not used for longest go together.
struct KeyCache<Value> {
    private let half: Int
    private var young: [String: Value] = [:]
    private var old: [String: Value] = [:]

    init(half: Int) { self.half = half }

    var count: Int { young.count + old.count }

    /// Nil removes.
    subscript(key: String) -> Value? {
        mutating get {
            if let value = young[key] { return value }
            guard let value = old.removeValue(forKey: key) else { return nil }
            insert(value, for: key)
            return value
        }
        set {
            old[key] = nil
            if let newValue { insert(newValue, for: key) } else { young[key] = nil }
        }
    }

    private mutating func insert(_ value: Value, for key: String) {
        if young.count >= half, young[key] == nil { (old, young) = (young, [:]) }
        young[key] = value
    }
}
