// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatrePlugin

/// One thing that every provider of a contract does, whoever wrote it, shown on a provider in front of its own emulator.
///
/// A test runs each: `@Test(arguments: PaymentSuite.cases) func holds(_ rule: SuiteCase<PaymentSubject>) async throws {
/// try await rule.run(subject) }`. A case needs a fresh subject.
public struct SuiteCase<Subject: Sendable>: Sendable, CustomStringConvertible {
    /// A sentence in camelCase: `theNumberIsTheIdempotencyKey`.
    public let name: String
    private let body: @Sendable (Subject) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (Subject) async throws -> Void) {
        self.name = name
        self.body = body
    }

    /// Its name.
    public var description: String { name }

    /// Runs the case.
    ///
    /// - Throws: `SuiteFailure` with what does not hold: also for a call that failed where it should not.
    public func run(_ subject: Subject) async throws {
        do {
            try await body(subject)
        } catch let error as PluginError {
            throw SuiteFailure(
                "A call that has to succeed failed: \(error.code) \(error.reason) \"\(error.message)\" \(error.detail)")
        }
    }
}

/// What a provider does otherwise than its contract says.
public struct SuiteFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was expected and what was there.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Fails the case where something is not so.
func demand(_ isSo: Bool, _ otherwise: @autoclosure () -> String) throws {
    if !isSo { throw SuiteFailure(otherwise()) }
}

/// What a call gives that must not fail, since `otherwise` would be so.
func success<T>(_ otherwise: String, _ body: () async throws -> T) async throws -> T {
    do { return try await body() } catch let error as PluginError {
        throw SuiteFailure("\(otherwise): \(error.code) \(error.reason).")
    }
}

/// The error that a call must fail with.
func refusal<T>(_ what: String, _ body: () async throws -> T) async throws -> PluginError {
    do {
        _ = try await body()
    } catch let error as PluginError {
        return error
    }
    throw SuiteFailure("\(what) succeeded; a refusal was expected.")
}

/// What a test makes an emulator do with the next request, so that an error's effect can be compared with what the
/// emulator really did.
public enum Disturbance: String, Sendable, Hashable, CaseIterable {
    /// It does what it is asked and its answer is lost.
    case answerLost
    /// It is not reached at all.
    case unreachable
    /// It refuses for good.
    case refused
    /// It asks to be left alone for a while.
    case throttled
}
