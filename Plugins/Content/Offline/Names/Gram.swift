// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Up to six scalars in a row as one hashable value.
struct Gram: Hashable {
    private var head: UInt64 = 0
    private var tail: UInt64 = 0
    private(set) var count = 0

    init() {}

    init(_ scalars: some Sequence<UInt32>) {
        for scalar in scalars { append(scalar) }
    }

    /// Adds a scalar; a seventh changes nothing.
    mutating func append(_ scalar: UInt32) {
        switch count {
        case 0..<3: head |= UInt64(scalar) << UInt64(count * 21)
        case 3..<6: tail |= UInt64(scalar) << UInt64((count - 3) * 21)
        default: return
        }
        count += 1
    }

    /// The scalars.
    var scalars: [UInt32] {
        (0..<count).map { index in
            let word = index < 3 ? head : tail
            return UInt32(truncatingIfNeeded: word >> UInt64((index % 3) * 21)) & 0x1FFFFF
        }
    }
}

/// Where and among what a gram stands.
struct GramUse {
    var count = 0
    /// Times at the head of a clause.
    var heads = 0
    /// Times with a verb behind it that a person takes.
    var subjects = 0
    /// Times as the one who speaks.
    var speeches = 0
    /// Times after "named" or "called".
    var introductions = 0
    var left: [UInt32: Int] = [:]
    var right: [UInt32: Int] = [:]

    /// The share of the commonest neighbour that could belong to a name.
    static func dominance(_ neighbours: [UInt32: Int], of count: Int) -> Double {
        var most = 0
        for (scalar, times) in neighbours where Script.isHan(scalar) && !ChineseWords.notInNames.contains(scalar) {
            most = max(most, times)
        }
        return count == 0 ? 0 : Double(most) / Double(count)
    }
}

/// Someone or some place, with every spot where the text names it.
struct Entity: Equatable {
    var name: String
    /// Where it is named, in scalars, ascending.
    var positions: [Int]

    /// Times inside a range.
    func count(in range: Range<Int>) -> Int {
        positions.partitioningIndex { $0 >= range.upperBound } - positions.partitioningIndex { $0 >= range.lowerBound }
    }
}

extension Array {
    /// The first index whose element satisfies a condition that stays true once it is true.
    func partitioningIndex(where condition: (Element) -> Bool) -> Int {
        var lower = 0
        var upper = count
        while lower < upper {
            let middle = lower + (upper - lower) / 2
            if condition(self[middle]) { upper = middle } else { lower = middle + 1 }
        }
        return lower
    }
}

extension Entity {
    /// Where names occur, the longest one at each place first; by place.
    ///
    /// - Parameters:
    ///   - canonical: the name that each spelling stands for.
    ///   - longest: of a spelling, in characters.
    static func all(_ canonical: [Gram: Gram], in scalars: [UInt32], longest: Int) -> [Entity] {
        var positions: [Gram: [Int]] = [:]
        var index = 0
        while index < scalars.count {
            var gram = Gram()
            var best: (name: Gram, length: Int)?
            for length in 1...longest where index + length <= scalars.count {
                gram.append(scalars[index + length - 1])
                if let name = canonical[gram] { best = (name, length) }
            }
            if let best { positions[best.name, default: []].append(index) }
            index += best?.length ?? 1
        }
        return positions.map { Entity(name: String(scalarValues: $0.key.scalars), positions: $0.value) }
            .sorted { ($0.positions[0], $0.name) < ($1.positions[0], $1.name) }
    }
}
