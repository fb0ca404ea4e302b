// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
public import SwiftProtobuf
public import TheatreContracts

extension JobsNewJob {
    /// A job whose worker gets a message; see ``JobsJob/decode(_:)``.
    ///
    /// - Parameters:
    ///   - queue: one of those that the manifest names.
    ///   - kind: what kind of work, such as `draft.render`.
    ///   - payload: up to 256 KiB, without secrets.
    ///   - runAt: not before this, in milliseconds since 1970; 0: at once.
    ///   - priority: higher first, -100 to 100.
    ///   - uniqueKey: while a job with this key has not ended, no other is stored; empty: none.
    public init(
        _ queue: String, kind: String, payload: some Message, runAt: Int64 = 0, priority: Int32 = 0,
        uniqueKey: String = ""
    ) throws {
        let bytes: [UInt8] = try payload.serializedBytes()
        self.init(queue, kind: kind, bytes: bytes, runAt: runAt, priority: priority, uniqueKey: uniqueKey)
    }

    /// A job whose worker gets bytes, or nothing.
    public init(
        _ queue: String, kind: String, bytes: [UInt8] = [], runAt: Int64 = 0, priority: Int32 = 0,
        uniqueKey: String = ""
    ) {
        self.init()
        self.queue = queue
        self.kind = kind
        self.payload = Data(bytes)
        self.runAt = runAt
        self.priority = priority
        self.uniqueKey = uniqueKey
    }
}

extension JobsJob {
    /// The message that the job was enqueued with.
    ///
    /// - Throws: INVALID_ARGUMENT `jobs.bad_payload`, which makes the job dead: no repetition would help.
    public func decode<Payload: Message>(_ type: Payload.Type = Payload.self) throws -> Payload {
        do { return try Payload(serializedBytes: payload) } catch {
            throw PluginError(
                .invalidArgument, "jobs.bad_payload",
                "The payload of \(jobID) does not decode as \(Payload.protoMessageName); enqueue what the worker reads."
            )
        }
    }
}
