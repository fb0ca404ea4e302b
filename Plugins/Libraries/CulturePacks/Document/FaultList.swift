// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Collects what is wrong with a document.
struct FaultList {
    let languages: [String]
    private(set) var faults: [PackFault] = []

    init(languages: [String]) { self.languages = languages }

    /// Notes a fault unless something holds.
    mutating func check(_ holds: Bool, _ pointer: String, _ message: @autoclosure () -> String) {
        if !holds { faults.append(PackFault(pointer: pointer, message: message())) }
    }

    /// Wants a text in each language of the pack.
    mutating func covers(_ text: PackText, _ pointer: String) {
        let languages = languages
        check(
            text.covers(languages), pointer,
            "The text is wanted in \(languages.joined(separator: ", ")), or once for all of them.")
    }

    /// Wants one of the contract's words.
    mutating func choice(_ text: String, _ choices: [String], _ pointer: String) {
        check(choices.contains(text), pointer, "\"\(text)\" is none of \(choices.joined(separator: ", ")).")
    }

    /// Wants texts that say something.
    mutating func filled(_ texts: [String], _ pointer: String) {
        check(!texts.contains(""), pointer, "A text is empty.")
    }

    /// Wants each id once.
    mutating func unique(_ ids: [String], _ pointer: String) {
        var seen: Set<String> = []
        for id in ids { check(seen.insert(id).inserted, pointer, "\(id) stands twice.") }
    }
}
