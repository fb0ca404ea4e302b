// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// All routes of a table as one flat run of small instructions: nothing to follow, retain or lock on the way to a
/// decision but the instructions of the feature asked for.
struct RouteProgram: Sendable {
    /// One step. A test that fails goes on at `next`, one that holds at the following step.
    private struct Step: Sendable {
        var operation: Operation
        var dimension = RouteDimension.tenant
        var next: Int32 = 0
        var a: UInt64 = 0
        var b: UInt64 = 0
    }

    private enum Operation: UInt8, Sendable {
        /// Ends with binding `a`.
        case take
        /// Ends with one of the shares from the low to below the high half of `a`, by the key and salt `b`.
        case share
        case unmatched
        case unrouted
        /// The dimension is the short text in `a` and `b`.
        case text
        /// As text, but goes on at `next` where it holds: one of several.
        case textOr
        /// The dimension is in set `a`.
        case set
        /// The amount is from `a` to `b`.
        case amount
        /// The key, with salt `b`, stands from the low to below the high half of `a`.
        case percentage
    }

    private struct Share: Sendable {
        let end: UInt64
        let binding: Int
    }

    private var steps: ContiguousArray<Step> = []
    private var starts: ContiguousArray<Int32> = []
    private var bindings: ContiguousArray<Binding> = []
    private var shares: ContiguousArray<Share> = []
    private var sets: [Set<String>] = []

    init(_ features: [CompiledFeature]) {
        for feature in features {
            starts.append(Int32(steps.count))
            if feature.isUnrouted {
                steps.append(Step(operation: .unrouted))
                continue
            }
            for unit in feature.units { add(unit, salt: feature.salt) }
            if !(feature.units.last?.conditions.areEmpty ?? false) { steps.append(Step(operation: .unmatched)) }
        }
    }

    private mutating func add(_ unit: CompiledUnit, salt: UInt64) {
        let start = steps.count
        for dimension in RouteDimension.allCases {
            if let values = unit.conditions.values[dimension] { add(values, of: dimension) }
        }
        if let range = unit.conditions.amount {
            steps.append(
                Step(operation: .amount, next: -1, a: UInt64(range.lowerBound), b: UInt64(range.upperBound)))
        }
        if let range = unit.conditions.percentage {
            steps.append(
                Step(operation: .percentage, next: -1, a: Self.halves(range.lowerBound, range.upperBound), b: salt))
        }
        let first = bindings.count
        bindings += unit.members.map(\.binding)
        if unit.members.count == 1 {
            steps.append(Step(operation: .take, a: UInt64(first)))
        } else {
            steps.append(
                Step(operation: .share, a: Self.halves(shares.count, shares.count + unit.members.count), b: salt))
            for (index, member) in unit.members.enumerated() {
                shares.append(Share(end: UInt64(member.end), binding: first + index))
            }
        }
        for index in start..<steps.count where steps[index].next == -1 { steps[index].next = Int32(steps.count) }
    }

    private mutating func add(_ values: [String], of dimension: RouteDimension) {
        let texts = values.compactMap(ShortText.init)
        guard texts.count == values.count, texts.count <= 4 else {
            steps.append(Step(operation: .set, dimension: dimension, next: -1, a: UInt64(sets.count)))
            sets.append(Set(values))
            return
        }
        let end = Int32(steps.count + texts.count)
        for (index, text) in texts.enumerated() {
            let isLast = index == texts.count - 1
            steps.append(
                Step(
                    operation: isLast ? .text : .textOr, dimension: dimension, next: isLast ? -1 : end, a: text.low,
                    b: text.high))
        }
    }

    func resolve(_ feature: Int, _ attributes: borrowing RouteAttributes) -> Decision {
        var place = Int(starts[feature])
        var hash: UInt64?
        while true {
            let step = steps[place]
            let holds: Bool
            switch step.operation {
            case .take: return .to(bindings[Int(step.a)])
            case .share:
                let known = hash ?? StableHash.of(attributes.key)
                return .to(bindings[binding(of: step, hash: known)])
            case .unmatched: return .unmatched
            case .unrouted: return .unrouted
            case .text: holds = ShortText(attributes[step.dimension])?.equals(step.a, step.b) ?? false
            case .textOr: holds = !(ShortText(attributes[step.dimension])?.equals(step.a, step.b) ?? false)
            case .set: holds = sets[Int(step.a)].contains(attributes[step.dimension])
            case .amount:
                if let amount = attributes.amount, amount >= 0 {
                    holds = (step.a...step.b).contains(UInt64(amount))
                } else {
                    holds = false
                }
            case .percentage:
                let known = hash ?? StableHash.of(attributes.key)
                hash = known
                let place = StableHash.percentile(known, salt: step.b)
                holds = place >= step.a & 0xffff_ffff && place < step.a &>> 32
            }
            place = holds ? place + 1 : Int(step.next)
        }
    }

    private func binding(of step: Step, hash: UInt64) -> Int {
        let first = Int(step.a & 0xffff_ffff)
        let last = Int(step.a &>> 32) - 1
        let share = StableHash.share(hash, salt: step.b, of: shares[last].end)
        for index in first..<last where share < shares[index].end { return shares[index].binding }
        return shares[last].binding
    }

    private static func halves(_ low: Int, _ high: Int) -> UInt64 { UInt64(low) | UInt64(high) << 32 }
}

/// A string of at most 15 bytes as two words, the length in the last byte.
struct ShortText {
    var low: UInt64 = 0
    var high: UInt64 = 0

    @inline(__always) init?(_ string: String) {
        let utf8 = string.utf8
        let count = utf8.count
        guard count <= 15 else { return nil }
        var shift: UInt64 = 0
        for byte in utf8.prefix(8) {
            low |= UInt64(byte) &<< shift
            shift &+= 8
        }
        if count > 8 {
            shift = 0
            for byte in utf8.dropFirst(8) {
                high |= UInt64(byte) &<< shift
                shift &+= 8
            }
        }
        high |= UInt64(count) &<< 56
    }

    @inline(__always) func equals(_ low: UInt64, _ high: UInt64) -> Bool { self.low == low && self.high == high }
}
