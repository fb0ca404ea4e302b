// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
public import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// Where answers of mutating routes are kept, beside their effects.
public protocol AnswerStore: Sendable {
    /// Looks up the answer given before under a key. `completion` comes once, on any thread.
    func find(
        _ key: AnswerKey, completion: @escaping @Sendable (Result<StoredAnswer?, CallError>) -> Void)
}

/// Under what an answer is kept.
public struct AnswerKey: Sendable, Hashable {
    /// Tenant of the request.
    public var tenant: String
    /// Who asked, or empty.
    public var principal: String
    /// METHOD and template.
    public var route: String
    /// The client's Idempotency-Key, or the request id where it sent none.
    public var key: String

    /// A key.
    public init(tenant: String, principal: String, route: String, key: String) {
        self.tenant = tenant
        self.principal = principal
        self.route = route
        self.key = key
    }
}

/// An answer as stored.
public struct StoredAnswer: Sendable, Hashable {
    /// SHA-256 of the request it answered.
    public var digest: [UInt8]
    /// The response message, encoded.
    public var payload: [UInt8]
    /// HTTP status; 0 for the route's.
    public var status: Int

    /// An answer.
    public init(digest: [UInt8], payload: [UInt8], status: Int = 0) {
        self.digest = digest
        self.payload = payload
        self.status = status
    }
}

/// Answers kept by the storage plugin: theatre.sql.v1.Database/FindAnswer.
public struct SQLAnswerStore: AnswerStore {
    private let calls: any CallStarting
    private let instance: @Sendable () -> String

    /// - Parameter instance: name of the instance that stores answers.
    public init(calls: any CallStarting, instance: @escaping @Sendable () -> String) {
        self.calls = calls
        self.instance = instance
    }

    /// Asks the storage plugin.
    public func find(
        _ key: AnswerKey, completion: @escaping @Sendable (Result<StoredAnswer?, CallError>) -> Void
    ) {
        let request = SQLFindAnswerRequest.with {
            $0.tenant = key.tenant
            $0.principal = key.principal
            $0.route = key.route
            $0.idempotencyKey = key.key
        }
        OneShotCall.start(calls, instance(), "theatre.sql.v1.Database/FindAnswer", request) {
            (result: Result<SQLFindAnswerResponse, CallError>) in
            completion(
                result.map { response in
                    guard response.found else { return nil }
                    return StoredAnswer(
                        digest: Array(response.requestDigest), payload: Array(response.answer.payload),
                        status: Int(response.answer.status))
                })
        }
    }
}
