// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime
internal import TheatreContracts

/// Verifies a chain by calls to the storage, a page at a time, however long that takes.
final class AuditVerification: Sendable {
    /// An ``AuditWalk`` fed with answers.
    private struct Walking: ActionState {
        enum Input: Sendable {
            case start
            case chains(SQLListChainsResponse)
            case checkpoints(SQLListCheckpointsResponse)
            case rows(SQLReadChainResponse)
        }

        var walk: AuditWalk

        mutating func handle(_ input: Input) -> [AuditWalk.Step] {
            switch input {
            case .start: break
            case .chains(let response): walk.take(response)
            case .checkpoints(let response): walk.take(response)
            case .rows(let response): walk.take(response)
            }
            return [walk.next()]
        }
    }

    private let loop: ActionLoop<Walking>
    private let caller: UnaryCaller
    private let storage: String
    private let isWanted: @Sendable () -> Bool
    private let then: @Sendable (Result<AuditReport, CallError>) -> Void

    /// - Parameter then: called once.
    init(
        _ walk: AuditWalk, _ caller: UnaryCaller, storage: String, isWanted: @escaping @Sendable () -> Bool,
        _ then: @escaping @Sendable (Result<AuditReport, CallError>) -> Void
    ) {
        loop = ActionLoop(Walking(walk: walk))
        self.caller = caller
        self.storage = storage
        self.isWanted = isWanted
        self.then = then
    }

    func start() { loop.post(.start, perform) }

    private func perform(_ step: AuditWalk.Step) {
        guard isWanted() else {
            return then(.failure(CallError(.cancelled, "call.cancelled", "Nobody waits for the answer any more.")))
        }
        switch step {
        case .chains(let request):
            caller.call(storage, "theatre.sql.v1.Audit/ListChains", request, .system) {
                [self] (result: Result<SQLListChainsResponse, CallError>) in go(result) { .chains($0) }
            }
        case .checkpoints(let request):
            caller.call(storage, "theatre.sql.v1.Audit/ListCheckpoints", request, .system) {
                [self] (result: Result<SQLListCheckpointsResponse, CallError>) in go(result) { .checkpoints($0) }
            }
        case .rows(let request):
            caller.call(storage, "theatre.sql.v1.Audit/ReadChain", request, .system) {
                [self] (result: Result<SQLReadChainResponse, CallError>) in go(result) { .rows($0) }
            }
        case .done(let report): then(.success(report))
        }
    }

    private func go<Response>(_ result: Result<Response, CallError>, _ input: (Response) -> Walking.Input) {
        switch result {
        case .success(let response): loop.post(input(response), perform)
        case .failure(let error): then(.failure(error))
        }
    }
}
