// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

/// Does the work of a run, step by step, each stored before the next: after a kill it goes on where it was.
struct RunWorker: Sendable {
    let call: Call
    let configuration: DraftingConfiguration

    var store: DraftingStore { DraftingStore(call) }

    /// Works until nothing is left to do.
    ///
    /// - Parameter isLast: the attempt after which a passing failure is final.
    /// - Throws: what shall be tried again by delivering the event again.
    func work(on id: String, isLast: Bool) async throws {
        while let run = try await store.run(id), let work = run.machine.next {
            try Task.checkCancellation()
            try await take(work, of: run, isLast: isLast)
        }
    }

    private func take(_ work: RunMachine.Work, of run: StoredRun, isLast: Bool) async throws {
        var change = RunChange(before: run.machine, after: run)
        var failure: PluginError?
        let outcome: RunMachine.Outcome
        do {
            outcome = try await perform(work, &change)
        } catch let error as CancellationError {
            throw error
        } catch {
            let error = Self.pluginError(error)
            failure = error
            outcome = Self.outcome(of: error, at: work)
        }
        var after = change.after
        switch after.machine.handle(work, outcome, isLast: isLast) {
        case .redeliver: throw failure ?? PluginError(.aborted, "drafting.again", "The step is done again.")
        case .store: break
        }
        if let failure { report(failure, after) }
        try await save(change, after, work)
    }

    /// Does one unit of work; its results go into `change`.
    private func perform(_ work: RunMachine.Work, _ change: inout RunChange) async throws -> RunMachine.Outcome {
        let steps = RunSteps(call: call, configuration: configuration, store: store)
        switch work {
        case .begin: break
        case .outline:
            let outline = try await steps.outline(change.after)
            change.after.outline = outline
            return .done(beats: outline.beats.count)
        case .embed: change.vectors = try await steps.embed(change.after)
        case .culture: change.after.findings = try await steps.findings(change.after)
        case .scene(let number): change.scene = try await steps.scene(number, of: change.after)
        case .settle: try await steps.settle(change.after)
        case .void: try await steps.void(change.after)
        case .announce: try await steps.announce(change.after)
        }
        return .done()
    }

    private static func outcome(of error: PluginError, at work: RunMachine.Work) -> RunMachine.Outcome {
        if work == .void, error.reason == "ledger.hold_settled" { return .settledBefore }
        return .failed(error.reason, isPassing: error.isPassing)
    }

    private static func pluginError(_ error: any Error) -> PluginError {
        error as? PluginError
            ?? PluginError(.internal, "drafting.fault", "A step of the run failed: \(error).", retry: .safe)
    }

    /// Stores the step. Where the run went elsewhere meanwhile, nothing is stored and the next look finds out.
    private func save(_ change: RunChange, _ after: StoredRun, _ work: RunMachine.Work) async throws {
        let change = RunChange(
            before: change.before, after: after, event: Self.event(work, after, change.scene),
            vectors: change.vectors, scene: change.scene)
        do {
            try await store.db.commit { try change.add(to: &$0, at: call.host.now) }
        } catch let error as PluginError where error.reason == "sql.expectation" {
            call.host.log.debug("a run moved on while a step was done", ["run": after.id])
        }
    }

    /// The event that tells of a step, where it was done and somebody would like to know.
    private static func event(
        _ work: RunMachine.Work, _ run: StoredRun, _ scene: StudioScene?
    ) -> (type: String, data: RunEvent)? {
        var data = RunEvent(run, step: run.machine.step.rawValue)
        switch (work, run.machine.status) {
        case (.announce, .succeeded):
            data.title = run.title
            data.scenes = run.machine.scenes
            return ("draft.succeeded", data)
        case (.announce, .failed):
            data.failure = run.machine.failure
            return ("draft.failed", data)
        case _ where run.machine.step == .void: return nil
        case (.begin, _): return ("draft.started", data)
        case (.outline, _):
            data.title = run.outline?.title
            data.scenes = run.machine.beats
            return ("draft.outlined", data)
        case (.culture, _):
            data.findings = run.findings.count
            return ("draft.culture_checked", data)
        case (.scene, _):
            data.number = scene.map { Int($0.number) }
            data.title = scene?.title
            return ("draft.scene_written", data)
        default: return nil
        }
    }

    private func report(_ error: PluginError, _ run: StoredRun) {
        call.host.log.warning(
            "a step of a run failed for good",
            ["run": run.id, "code": "\(error.code)", "reason": error.reason, "message": error.message])
    }
}
