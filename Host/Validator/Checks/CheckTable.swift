// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Every check, in the order in which they are shown.
package enum CheckTable {
    /// A library that cannot even be described.
    static let file = LibraryCheck(
        "file", "the file is a library whose manifest can be read", quick: true, limit: 10, needsLife: false
    ) {
        _ in
    }

    /// Run before all others: what fails to load or to live there is not tried twenty times more.
    static let gates: [[String]] = [["elf", "manifest", "load"], ["life"]]

    /// Every check.
    package static let all: [LibraryCheck] = [
        .elf, .manifest, .load, .purity, .life, .configuration, .calls, .garbage, .older, .newer, .blocking, .borrowed,
        .orders, .leak, .pair, .once, .deadline, .cancel, .drain, .effect, .secrets, .egress,
        .modes, .crash, .swaps,
    ]
}
