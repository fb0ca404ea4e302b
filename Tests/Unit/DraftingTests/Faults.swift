// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatrePlugin

/// Makes calls fail: by name, how many times, and whether before or after they took effect.
final class Faults: Sendable {
    struct Fault {
        var times: Int
        var error: PluginError
        /// The call is served and its answer lost.
        var isAfter: Bool
    }

    private let state = Mutex<[String: Fault]>([:])

    func fail(_ name: String, times: Int = 1, with error: PluginError, after: Bool = false) {
        state.withLock { $0[name] = Fault(times: times, error: error, isAfter: after) }
    }

    func through<Output>(_ name: String, _ body: () async throws -> Output) async throws -> Output {
        let fault = state.withLock { state -> Fault? in
            guard let fault = state[name], fault.times > 0 else { return nil }
            state[name]?.times -= 1
            return fault
        }
        if let fault, !fault.isAfter { throw fault.error }
        let output = try await body()
        if let fault { throw fault.error }
        return output
    }
}
