// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import Synchronization

/// Which generation of an instance serves, for lines of the log that are about the instance.
final class ServingGenerations: Sendable {
    private let dispatcher = Mutex<Dispatcher?>(nil)

    /// Asks this dispatcher from now on.
    func ask(_ dispatcher: Dispatcher) { self.dispatcher.withLock { $0 = dispatcher } }

    /// The generation of an instance that serves now; nil where none does.
    func generation(of instance: String) -> UInt32? {
        dispatcher.withLock { $0 }?.generation(of: instance)
    }
}
