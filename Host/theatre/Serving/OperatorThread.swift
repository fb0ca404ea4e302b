// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOPosix

/// The one thread on which the host starts, reloads and stops its instances, which block.
final class OperatorThread: Sendable {
    private let pool = NIOThreadPool(numberOfThreads: 1)

    init() { pool.start() }

    /// Runs `body` there, after what came before; not at all once the process ends.
    func submit(_ body: @escaping @Sendable () -> Void) {
        pool.submit { state in if case .active = state { body() } }
    }

    /// Runs `body` there, after what came before.
    func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await pool.runIfActive(body)
    }
}
