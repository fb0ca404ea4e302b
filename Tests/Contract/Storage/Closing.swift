// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import TheatrePluginTesting

/// Stops the instances that a test installed once it has ended, so that their connections go.
struct Closing: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let opened = OpenedInstances()
        do {
            try await OpenedInstances.$current.withValue(opened) { try await function() }
        } catch {
            try await opened.stop()
            throw error
        }
        try await opened.stop()
    }
}

extension Trait where Self == Closing {
    /// Stops what a test installed.
    static var closing: Closing { Closing() }
}

/// What the running test has installed.
final class OpenedInstances: Sendable {
    @TaskLocal static var current: OpenedInstances?
    private let instances = Mutex<[TestInstance]>([])

    func add(_ instance: TestInstance) { instances.withLock { $0.append(instance) } }

    func stop() async throws {
        for instance in instances.withLock({ $0 }) { try await instance.stop() }
    }
}
