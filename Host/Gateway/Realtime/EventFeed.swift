// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// The log of events, as realtime streams read it.
public protocol EventFeed: Sendable {
    /// Events strictly after an offset, waiting for the first if there is none. `completion` comes once, on any thread.
    ///
    /// - Returns: gives the read up where nobody waits for it any more, on any thread; its completion still comes.
    func read(
        after: Int64, channels: [String], limit: Int, waitMilliseconds: Int,
        completion: @escaping @Sendable (Result<EventPage, CallError>) -> Void
    ) -> @Sendable () -> Void
}

/// What one read found.
public struct EventPage: Sendable {
    /// In order of offset.
    public var events: [FeedEvent]
    /// The log's last offset when read.
    public var head: Int64
    /// The first offset the log still has, where the feed knows.
    public var oldest: Int64?

    /// A page.
    public init(events: [FeedEvent], head: Int64, oldest: Int64? = nil) {
        self.events = events
        self.head = head
        self.oldest = oldest
    }
}

/// An event as realtime clients see it, and the tenant it belongs to.
public struct FeedEvent: Sendable, Hashable {
    /// Place in the log.
    public var offset: Int64
    /// evt_ and a ULID.
    public var id: String
    /// Dotted type.
    public var type: String
    /// What it is about.
    public var aggregate: String
    /// One JSON object.
    public var data: String
    /// Milliseconds since 1970.
    public var at: Int64
    /// Of the publisher's context.
    public var tenant: String

    /// An event.
    public init(offset: Int64, id: String, type: String, aggregate: String, data: String, at: Int64, tenant: String) {
        self.offset = offset
        self.id = id
        self.type = type
        self.aggregate = aggregate
        self.data = data
        self.at = at
        self.tenant = tenant
    }
}

/// The log kept by a plugin: theatre.events.v1.Log/Read.
public struct LogEventFeed: EventFeed {
    private let calls: any CallStarting
    private let instance: @Sendable () -> String

    /// - Parameter instance: name of the instance that keeps the log.
    public init(calls: any CallStarting, instance: @escaping @Sendable () -> String) {
        self.calls = calls
        self.instance = instance
    }

    /// Asks the plugin.
    public func read(
        after: Int64, channels: [String], limit: Int, waitMilliseconds: Int,
        completion: @escaping @Sendable (Result<EventPage, CallError>) -> Void
    ) -> @Sendable () -> Void {
        let request = EventsReadRequest.with {
            $0.after = after
            $0.channels = channels
            $0.limit = UInt32(clamping: limit)
            $0.waitMs = UInt32(clamping: waitMilliseconds)
        }
        let call = OneShotCall.start(calls, instance(), "theatre.events.v1.Log/Read", request) {
            (result: Result<EventsReadResponse, CallError>) in
            completion(
                result.map { response in
                    EventPage(
                        events: response.events.map { event in
                            FeedEvent(
                                offset: event.offset, id: event.eventID, type: event.type, aggregate: event.aggregate,
                                data: event.data, at: event.at, tenant: event.tenant)
                        }, head: response.head, oldest: response.oldest > 0 ? response.oldest : nil)
                })
        }
        guard let call else { return {} }
        return { [calls] in calls.cancel(call) }
    }
}
