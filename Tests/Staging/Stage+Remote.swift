// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Registry
import Runtime

extension Stage {
    /// A plan of an instance that is served at an address, in plain text unless there are credentials.
    package static func plan(
        _ plugin: String, _ name: String, at address: String, tls: InstanceDeclaration.TLS? = nil,
        configuration: String = "{}"
    ) throws -> InstancePlan {
        guard let place = InstanceDeclaration.Place(address) else { throw Unstaged("\(address) is no address") }
        var plan = try plan(plugin, name, .remote, configuration: configuration)
        plan.remote = InstanceDeclaration.Remote(endpoint: place)
        plan.remote?.tls = tls
        plan.isConfigured = configuration != "{}"
        return plan
    }
}

extension Stage {
    /// Calls, gives the call up once `isUnderWay`, and waits for its end.
    package func cancelled(
        _ instance: String, _ operation: String, _ payload: [UInt8], once isUnderWay: () throws -> Bool
    ) throws -> Answer {
        let target = try dispatcher.target(instance: instance, operation: operation)
        let sink = WaitingSink()
        let call = payload.withUnsafeBytes { bytes in
            dispatcher.start(OutgoingCall(payload: bytes, context: .system), on: target, sink: sink)
        }
        sink.began(call, dispatcher)
        _ = try eventually { try isUnderWay() ? true : nil }
        dispatcher.cancel(call)
        return sink.wait()
    }

    /// What `look` finds within ten seconds; looks a hundred times a second.
    package func eventually<T>(_ look: () throws -> T?) throws -> T? {
        for _ in 0..<1000 {
            if let found = try look() { return found }
            usleep(10_000)
        }
        return nil
    }
}
