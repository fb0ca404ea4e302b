// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization
import TheatreContracts

@testable import Services

/// An event pump over a log in memory, before a consumer that the test plays.
final class EventBench: Sendable {
    let calls = FakeCalls()
    let clock = ManualClock()
    let log: FakeLog
    let times = Mutex<[String: Int64]>([:])
    let taken = Mutex<[String]>([])
    let consumer = EventConsumer(instance: "inbox", types: ["draft."])

    init() { log = FakeLog(calls, clock) }

    func pump(_ holder: String = "host") -> EventPump {
        EventPump(
            calls, storage: "sqlite", clock: clock, holder: holder,
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    func deliver(
        _ body: @escaping @Sendable (EventsDeliverRequest, UnaryCall) throws -> EventsDeliverResponse? = { _, _ in
            .init()
        }
    ) {
        calls.serve("inbox", "theatre.events.v1.Consumer/Deliver") { [self] (request: EventsDeliverRequest, call) in
            let key = "\(request.event.offset)#\(request.attempt)"
            taken.withLock { $0.append(key) }
            times.withLock { $0[key] = clock.wall }
            return try body(request, call)
        }
    }

    var order: [String] { taken.withLock { $0 } }
}
