// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Where a run stands and what comes next: a value without effects, stored after every step.
///
/// Chips are settled or freed, never both: a run is stopped only before `settle`, and what fails goes through `void`.
struct RunMachine: Sendable, Hashable {
    /// As clients see it.
    enum Status: String, Sendable, Hashable {
        case queued = "QUEUED"
        case running = "RUNNING"
        case succeeded = "SUCCEEDED"
        case failed = "FAILED"
        case canceled = "CANCELED"
    }

    /// The step that is to be done next.
    enum Step: String, Sendable, Hashable {
        case begin, outline, embed, culture, scenes, settle, void, announce, done
    }

    /// One unit of work; each is done at least once and takes effect once.
    enum Work: Sendable, Hashable {
        case begin, outline, embed, culture
        /// Writes the scene of this number, from 1.
        case scene(Int)
        case settle, void, announce
    }

    /// How a unit of work went.
    enum Outcome: Sendable, Hashable {
        /// Done. The outline tells how many scenes there will be.
        case done(beats: Int = 0)
        /// It failed; `isPassing` where it may succeed later.
        case failed(String, isPassing: Bool)
        /// The chips to be freed were taken already.
        case settledBefore
    }

    /// What to do with the new state.
    enum Action: Sendable, Hashable {
        /// Store it and go on.
        case store
        /// Keep the old one; the event shall come again.
        case redeliver
    }

    var status = Status.queued
    var step = Step.begin
    /// How many scenes there will be; 0 before the outline.
    var beats = 0
    /// How many scenes are written.
    var scenes = 0
    /// Why it fails, a stable code.
    var failure: String?

    /// What comes next, or nil where nothing does.
    var next: Work? {
        switch step {
        case .begin: .begin
        case .outline: .outline
        case .embed: .embed
        case .culture: .culture
        case .scenes: .scene(scenes + 1)
        case .settle: .settle
        case .void: .void
        case .announce: .announce
        case .done: nil
        }
    }

    /// 0 to 100.
    var progress: Int {
        switch step {
        case .begin: 0
        case .outline: 5
        case .embed: 20
        case .culture: 30
        case .scenes: 40 + 50 * scenes / max(1, beats)
        case .settle: 90
        case .void, .announce, .done: status == .succeeded ? 100 : scenes > 0 && scenes == beats ? 95 : 0
        }
    }

    /// Moves on after a unit of work.
    ///
    /// - Parameter isLast: the attempt after which a passing failure is final.
    mutating func handle(_ work: Work, _ outcome: Outcome, isLast: Bool) -> Action {
        switch outcome {
        case .done(let beats): advance(work, beats)
        case .failed(let reason, let isPassing): return fail(work, reason, isPassing, isLast)
        case .settledBefore:
            failure = nil
            step = status == .canceled ? .done : .announce
        }
        return .store
    }

    /// Stops it where that is still possible.
    ///
    /// - Returns: whether it was stopped now.
    mutating func cancel() -> Bool {
        switch step {
        case .settle, .void, .announce, .done: return false
        case .begin, .outline, .embed, .culture, .scenes:
            status = .canceled
            step = .void
            return true
        }
    }

    private mutating func advance(_ work: Work, _ count: Int) {
        switch work {
        case .begin:
            status = .running
            step = .outline
        case .outline:
            beats = count
            step = .embed
        case .embed: step = .culture
        case .culture: step = .scenes
        case .scene(let number):
            scenes = number
            if scenes >= beats { step = .settle }
        case .settle: step = .announce
        case .void: step = status == .canceled ? .done : .announce
        case .announce:
            status = failure == nil ? .succeeded : .failed
            step = .done
        }
    }

    private mutating func fail(_ work: Work, _ reason: String, _ isPassing: Bool, _ isLast: Bool) -> Action {
        switch work {
        // Chips are not forgotten: only the ledger's own "there is nothing to free" ends this.
        case .void where isPassing: return .redeliver
        // A message that could not be sent changes nothing.
        case .void, .announce: advance(work, 0)
        default:
            if isPassing, !isLast { return .redeliver }
            failure = reason
            step = .void
        }
        return .store
    }
}
