// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// A lease of a consumer or a sealer, so that of several hosts on one database one works: performs what ``LeaseHolding`` decides.
final class ConsumerLease: Sendable {
    private let name: String
    private let loop = ActionLoop(LeaseHolding())
    private let parts: EventParts
    private let changed: @Sendable (Bool) -> Void
    private let pending = Mutex<(any PendingWake)?>(nil)

    /// - Parameter changed: told when this host has its turn, and when it has no longer.
    init(_ name: String, _ parts: EventParts, _ changed: @escaping @Sendable (Bool) -> Void) {
        self.name = name
        self.parts = parts
        self.changed = changed
    }

    /// As it was given; nil where this host does not have it, and where the storage knows no leases.
    var token: Int64? { loop.read { $0.token } }

    func start() { loop.post(.proceed(now: monotonic), perform) }

    func stop() {
        pending.withLock { $0 }?.cancel()
        loop.post(.stop, perform)
    }

    private var monotonic: Int64 { Int64(parts.clock.monotonic / 1_000_000) }

    private func perform(_ action: LeaseHolding.Action) {
        switch action {
        case .acquire:
            let request = LeaseAcquireRequest.with {
                $0.name = name
                $0.holder = parts.holder
                $0.ttlMs = UInt32(LeaseHolding.ttl)
            }
            ask("Acquire", request)
        case .renew(let token):
            let request = LeaseRenewRequest.with {
                $0.name = name
                $0.holder = parts.holder
                $0.fencingToken = token
                $0.ttlMs = UInt32(LeaseHolding.ttl)
            }
            ask("Renew", request)
        case .release(let token): release(token)
        case .granted: changed(true)
        case .revoked:
            parts.log.notice("another host has this lease now", metadata: ["lease": "\(name)"])
            changed(false)
        case .wait(let milliseconds):
            let wake = parts.clock.wake(after: milliseconds) { [weak self] in self?.start() }
            pending.withLock { $0 = wake }
        }
    }

    private func ask(_ operation: String, _ request: some Message) {
        let asked = monotonic
        let deadline = parts.clock.monotonic + UInt64(LeaseHolding.renewal) * 1_000_000
        parts.caller.call(parts.storage, "theatre.lease.v1.Leases/\(operation)", request, .system, deadline: deadline) {
            [self] (result: Result<LeaseLease, CallError>) in
            switch result {
            case .success(let lease):
                loop.post(.held(token: lease.fencingToken, until: asked + LeaseHolding.ttl), perform)
            case .failure(let error) where error.code == .unimplemented: loop.post(.unsupported, perform)
            case .failure(let error) where error.reason == "lease.taken" || error.reason == "lease.lost":
                loop.post(.taken, perform)
            case .failure(let error):
                parts.log.warning("a lease cannot be had", metadata: error.metadata)
                loop.post(.failed(now: monotonic), perform)
            }
        }
    }

    private func release(_ token: Int64) {
        let request = LeaseReleaseRequest.with {
            $0.name = name
            $0.holder = parts.holder
            $0.fencingToken = token
        }
        let log = parts.log
        parts.caller.call(parts.storage, "theatre.lease.v1.Leases/Release", request, .system) {
            (result: Result<LeaseReleaseResponse, CallError>) in
            // It runs out by itself.
            if case .failure(let error) = result { log.debug("a lease was not given back", metadata: error.metadata) }
        }
    }
}
