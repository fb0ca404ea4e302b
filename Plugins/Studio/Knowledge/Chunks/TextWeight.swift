// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// How much of a model's window a text takes: a Chinese character is about one token, four other characters are one.
///
/// In quarters of a token.
enum TextWeight {
    static func of(_ scalar: Unicode.Scalar) -> Int { WrittenKind(scalar) == .ideographic ? 4 : 1 }

    static func of(_ text: ArraySlice<Unicode.Scalar>) -> Int { text.reduce(0) { $0 + of($1) } }
}
