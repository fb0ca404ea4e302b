// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Route templates as a tree of segments: literal beats parameter with verb beats parameter, with backtracking.
struct PathTrie: Sendable {
    private struct Node: Sendable {
        var literals: [(text: [UInt8], node: Int)] = []
        var verbs: [(suffix: [UInt8], node: Int)] = []
        var parameter: Int?
        /// Index of what stands at this path, or -1.
        var value = -1
    }

    private var nodes = [Node()]

    /// A path that is not a template.
    struct Malformed: Error, Equatable {
        let template: String
    }

    /// Adds a template, or finds it; templates that differ in parameter names only are the same.
    ///
    /// - Returns: the value standing there, `value` if it is new.
    mutating func insert(_ template: String, value: Int) throws(Malformed) -> Int {
        guard template.utf8.first == UInt8(ascii: "/") else { throw Malformed(template: template) }
        var at = 0
        for segment in template.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            at = try child(of: at, for: segment, in: template)
        }
        if nodes[at].value < 0 { nodes[at].value = value }
        return nodes[at].value
    }

    /// Names of the parameters of a template, in order.
    static func parameters(of template: String) -> [String] {
        template.split(separator: "/").compactMap { segment in
            guard segment.first == "{", let end = segment.firstIndex(of: "}") else { return nil }
            return String(segment[segment.index(after: segment.startIndex)..<end])
        }
    }

    private mutating func child(of at: Int, for segment: Substring, in template: String) throws(Malformed) -> Int {
        guard segment.first == "{" else {
            guard !segment.isEmpty, !segment.contains("{"), !segment.contains("}"), segment != ".", segment != ".."
            else { throw Malformed(template: template) }
            let text = Array(segment.utf8)
            if let found = nodes[at].literals.first(where: { $0.text == text }) { return found.node }
            nodes[at].literals.append((text, nodes.count))
            nodes.append(Node())
            return nodes.count - 1
        }
        guard let end = segment.firstIndex(of: "}"), segment.index(after: segment.startIndex) != end
        else { throw Malformed(template: template) }
        let rest = segment[segment.index(after: end)...]
        if rest.isEmpty {
            if let found = nodes[at].parameter { return found }
            nodes[at].parameter = nodes.count
        } else {
            guard rest.first == ":", rest.utf8.count > 1 else { throw Malformed(template: template) }
            let suffix = Array(rest.utf8)
            if let found = nodes[at].verbs.first(where: { $0.suffix == suffix }) { return found.node }
            nodes[at].verbs.append((suffix, nodes.count))
        }
        nodes.append(Node())
        return nodes.count - 1
    }

    /// The value at a raw path, and where its parameters stand in it; -1 for none.
    func match(_ path: UnsafeBufferPointer<UInt8>, captures: inout [Range<Int>]) -> Int {
        guard path.first == UInt8(ascii: "/") else { return -1 }
        return match(node: 0, path, from: 1, &captures)
    }

    private func match(
        node: Int, _ path: UnsafeBufferPointer<UInt8>, from start: Int, _ captures: inout [Range<Int>]
    ) -> Int {
        var end = start
        while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
        let isLast = end == path.count
        guard end > start else { return -1 }
        return nodes.withUnsafeBufferPointer { nodes in
            func descend(_ next: Int) -> Int {
                isLast ? nodes[next].value : match(node: next, path, from: end + 1, &captures)
            }
            let segment = UnsafeBufferPointer(rebasing: path[start..<end])
            for (text, next) in nodes[node].literals where segment.elementsEqual(text) {
                let found = descend(next)
                if found >= 0 { return found }
            }
            for (suffix, next) in nodes[node].verbs
            where segment.count > suffix.count && segment.suffix(suffix.count).elementsEqual(suffix) {
                captures.append(start..<end - suffix.count)
                let found = descend(next)
                if found >= 0 { return found }
                captures.removeLast()
            }
            guard let next = nodes[node].parameter else { return -1 }
            captures.append(start..<end)
            let found = descend(next)
            if found < 0 { captures.removeLast() }
            return found
        }
    }

    /// Whether a raw path has a segment `.` or `..`, in any spelling.
    static func hasDotSegment(_ path: UnsafeBufferPointer<UInt8>) -> Bool {
        var dots = 0
        var others = false
        var index = 0
        while index <= path.count {
            let isEnd = index == path.count
            if isEnd || path[index] == UInt8(ascii: "/") {
                if !others, dots == 1 || dots == 2 { return true }
                (dots, others) = (0, false)
            } else if path[index] == UInt8(ascii: ".") {
                dots += 1
            } else if path[index] == UInt8(ascii: "%"), index + 2 < path.count, path[index + 1] == UInt8(ascii: "2"),
                path[index + 2] | 0x20 == UInt8(ascii: "e")
            {
                dots += 1
                index += 2
            } else {
                others = true
            }
            index += 1
        }
        return false
    }
}
