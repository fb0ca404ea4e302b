// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// How far the log may be read: every position up to the head is decided, that is committed or never to come.
///
/// Positions come from a sequence, so one may be committed before a lower one is. A transaction has its number before its
/// event has a position. So: where a look sees a gap below a position, every transaction that may still fill the gap has
/// a number by then; a number taken after that look, the fence, is above all of theirs; and once no transaction below
/// the fence is under way, the gap is as it will stay. (The look's own `xmax` is no fence: it is above the finished
/// transactions only, not above those under way.)
struct EventTail: Equatable {
    /// What is to be done next.
    enum Action: Equatable {
        /// Nothing until somebody commits.
        case rest
        /// Take a number for a fence, then ``fenced(at:)``.
        case takeFence
        /// Look again: at once where there may be more than one look shows, soon where a fence is waited for.
        case look(isSoon: Bool)
    }

    /// Nil until the first fence has passed.
    private(set) var head: Int64?
    /// The highest position seen beyond the head, and the number that decides what is below it.
    private var gap: (top: Int64, fence: Int64?)?

    static let batch = 1000

    static func == (left: EventTail, right: EventTail) -> Bool {
        left.head == right.head && left.gap?.top == right.gap?.top && left.gap?.fence == right.gap?.fence
    }

    /// A tail of a log whose highest visible position, or the furthest a consumer has got, is `top`.
    init(top: Int64) {
        gap = (top, nil)
    }

    /// Where a look begins.
    var place: Int64 { head ?? 0 }

    /// A look showed `positions` behind the head, in order, at most ``batch``, at a time when every transaction below
    /// `oldest` had ended.
    mutating func looked(_ positions: [Int64], oldest: Int64) -> Action {
        if let gap, let fence = gap.fence, oldest >= fence {
            head = max(head ?? 0, gap.top)
            self.gap = nil
        }
        guard var head else { return gap?.fence == nil ? .takeFence : .look(isSoon: true) }
        var rest = positions[...].drop { $0 <= head }
        while let next = rest.first, next == head + 1 {
            head = next
            rest = rest.dropFirst()
        }
        self.head = head
        if let gap, gap.top <= head { self.gap = nil }
        guard let top = rest.last else {
            return positions.count == Self.batch ? .look(isSoon: false) : .rest
        }
        if gap == nil {
            gap = (top, nil)
            return .takeFence
        }
        return gap?.fence == nil ? .takeFence : .look(isSoon: true)
    }

    /// A transaction number that was taken after the last look.
    mutating func fenced(at number: Int64) -> Action {
        guard let gap, gap.fence == nil else { return .rest }
        self.gap = (gap.top, number)
        return .look(isSoon: false)
    }
}
