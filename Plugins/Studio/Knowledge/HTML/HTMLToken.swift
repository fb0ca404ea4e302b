// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What a page is made of.
enum HTMLToken: Hashable, Sendable {
    /// Characters, with references replaced.
    case text(String)
    /// A tag that begins, in small letters.
    case open(String)
    /// A tag that ends, in small letters.
    case close(String)
}
