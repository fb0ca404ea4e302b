// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// How fast messages may go out: one a second to a chat (three at once), twenty a minute to a group, thirty a second in
/// all, and nothing while the server holds the bot.
///
/// Times are milliseconds of one clock that never goes back.
struct SendPace: Sendable {
    private var heldUntil: UInt64 = 0
    private var all = TokenBucket(capacity: 30, perToken: 33)
    private var chats: [String: TokenBucket] = [:]
    private var groups: [String: TokenBucket] = [:]

    /// Takes a message's place in the line.
    ///
    /// - Returns: nil where it may go now, else how many milliseconds it must wait; then nothing was taken.
    mutating func admit(_ chat: String, at now: UInt64) -> UInt64? {
        var one = chats[chat] ?? TokenBucket(capacity: 3, perToken: 1000)
        var group = groups[chat] ?? TokenBucket(capacity: 20, perToken: 3000)
        let isGroup = chat.hasPrefix("-") || chat.hasPrefix("@")
        let held = heldUntil > now ? heldUntil - now : 0
        let wait = max(held, all.wait(at: now), one.wait(at: now), isGroup ? group.wait(at: now) : 0)
        guard wait == 0 else { return wait }
        all.take(at: now)
        one.take(at: now)
        chats[chat] = one
        if isGroup {
            group.take(at: now)
            groups[chat] = group
        }
        if chats.count > 4096 { forgetFull(at: now) }
        return nil
    }

    /// The server asked for silence.
    mutating func hold(milliseconds: UInt64, at now: UInt64) { heldUntil = max(heldUntil, now + milliseconds) }

    private mutating func forgetFull(at now: UInt64) {
        chats = chats.filter { !$0.value.isFull(at: now) }
        groups = groups.filter { !$0.value.isFull(at: now) }
    }
}

/// Tokens that come back at a steady pace, kept as the time at which the bucket is full again.
struct TokenBucket: Sendable, Hashable {
    private let capacity: UInt64
    private let perToken: UInt64
    private var fullAt: UInt64 = 0

    /// Starts full. `perToken`: milliseconds for one token to come back.
    init(capacity: UInt64, perToken: UInt64) {
        self.capacity = capacity
        self.perToken = perToken
    }

    /// Milliseconds until there is a token; 0 where there is one.
    func wait(at now: UInt64) -> UInt64 {
        let latest = now + (capacity - 1) * perToken
        return fullAt > latest ? fullAt - latest : 0
    }

    /// Takes one.
    mutating func take(at now: UInt64) { fullAt = max(fullAt, now) + perToken }

    /// Whether all tokens are there.
    func isFull(at now: UInt64) -> Bool { fullAt <= now }
}
