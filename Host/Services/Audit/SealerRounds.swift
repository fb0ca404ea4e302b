// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Decides when the sealer looks for rows: twice a second while this host has the lease, at once where there are more.
struct SealerRounds: ActionState {
    /// What happened.
    enum Input: Sendable {
        /// It is this host's turn.
        case granted
        /// It no longer is.
        case revoked
        /// The wait is over.
        case due
        /// A round is stored; `more` rows were there than it took.
        case sealed(more: Bool)
        /// A round is not stored, and nothing of it is.
        case failed
        /// Another sealer was there before: look again.
        case moved
        /// The storage chains no audit.
        case unsupported
        /// Seal everything and sign every open segment, then end.
        case stop
    }

    /// What to do.
    enum Action: Sendable, Equatable {
        /// Read what is not sealed, and seal it.
        case round(endsAll: Bool)
        /// Say `due` after so many milliseconds.
        case wait(Int64)
        /// No more rounds.
        case stopped
    }

    /// Time between looks, in milliseconds: with a round, within the second in which a row is sealed.
    static let interval: Int64 = 500

    private var isOn = false
    private var isBusy = false
    private var isWaiting = false
    private var isStopping = false
    private var hasStopped = false
    private var endsAll = false
    private var backoff = Backoff()

    mutating func handle(_ input: Input) -> [Action] {
        switch input {
        case .granted:
            isOn = true
            return go()
        case .revoked:
            isOn = false
            return isStopping && !isBusy ? end() : []
        case .due:
            isWaiting = false
            return go()
        case .sealed(let more):
            isBusy = false
            backoff.reset()
            if isStopping { return endsAll && !more ? end() : go() }
            return more ? go() : wait(Self.interval)
        case .moved:
            isBusy = false
            return isStopping ? end() : wait(Self.interval)
        case .failed:
            isBusy = false
            return isStopping ? end() : wait(backoff.fail())
        case .unsupported:
            isBusy = false
            isOn = false
            return isStopping ? end() : []
        case .stop:
            isStopping = true
            guard !isBusy else { return [] }
            return isOn ? go() : end()
        }
    }

    private mutating func go() -> [Action] {
        guard isOn, !isBusy, !hasStopped else { return isStopping && !isBusy ? end() : [] }
        isBusy = true
        endsAll = isStopping
        return [.round(endsAll: endsAll)]
    }

    private mutating func wait(_ milliseconds: Int64) -> [Action] {
        guard isOn, !isWaiting else { return [] }
        isWaiting = true
        return [.wait(milliseconds)]
    }

    private mutating func end() -> [Action] {
        guard !hasStopped else { return [] }
        hasStopped = true
        return [.stopped]
    }
}
