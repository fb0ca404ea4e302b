// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime
internal import TheatreContracts

/// An instance that is asked whether it takes writes, and by which contract.
public struct WatchedStorage: Sendable, Hashable {
    /// How it is asked.
    public enum Contract: Sendable, Hashable {
        /// `theatre.sql.v1.Maintenance/Status`.
        case sql
        /// `theatre.blob.v1.Maintenance/Status`.
        case blobs
    }

    /// The capability by which a store of blobs says that it can be asked.
    public static let blobCapability = "theatre.blob.v1.Maintenance"

    /// The instance.
    public var instance: String
    /// How it is asked.
    public var contract: Contract

    /// An instance to watch.
    public init(_ instance: String, _ contract: Contract) {
        self.instance = instance
        self.contract = contract
    }

    /// Asks once; `then` gets why nothing can be written, empty where it can, or the error that the call ended with.
    func ask(
        _ caller: UnaryCaller, deadline: UInt64, _ then: @escaping @Sendable (Result<String, CallError>) -> Void
    ) {
        switch contract {
        case .sql:
            caller.call(
                instance, "theatre.sql.v1.Maintenance/Status", SQLStatusRequest(), .system, deadline: deadline
            ) { (result: Result<SQLStatusResponse, CallError>) in
                then(result.map { $0.writable ? "" : $0.reason })
            }
        case .blobs:
            caller.call(
                instance, "\(Self.blobCapability)/Status", BlobStatusRequest(), .system, deadline: deadline
            ) { (result: Result<BlobStatusResponse, CallError>) in
                then(result.map { $0.writable ? "" : $0.reason })
            }
        }
    }

    /// What it means that a call ended with this error: why nothing can be written, or empty where that is not said.
    ///
    /// The host's own storage writes nothing where it does not answer. Whether the instances of a deployment serve is told
    /// elsewhere, and a slow disk is not a full one: stores of blobs are held against what they say, by `former`.
    func reason(of error: CallError, former: String) -> String {
        switch (error.code, contract) {
        case (.unimplemented, _), (.notFound, _), (.unavailable, .blobs): ""
        case (_, .sql): error.reason
        case (_, .blobs): former
        }
    }
}
