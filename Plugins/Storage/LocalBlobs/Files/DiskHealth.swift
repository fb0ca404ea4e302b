// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Whether the disk takes writes, as the last that failed told: a full disk, a read-only one, one that fails.
///
/// That a write went through says little: on a disk that is all but full a small one does. Only a look, which writes as
/// much as one piece of a large blob, takes a failure back.
final class DiskHealth: Sendable {
    private struct State {
        var failure: FileFault?
        /// How many writes have failed.
        var failures = 0
    }

    private let state = Mutex(State())

    /// Why nothing can be written; nil where nothing is known against it.
    var failure: FileFault? { state.withLock { $0.failure } }

    /// Counts failures, so that a look that began before the last one does not take it back.
    var failures: Int { state.withLock { $0.failures } }

    /// A change of the disk failed.
    func failed(_ fault: FileFault) {
        guard fault.isOfDisk else { return }
        state.withLock { state in
            state.failure = fault
            state.failures += 1
        }
    }

    /// A look went through that began after so many failures.
    func wrote(after failures: Int) {
        state.withLock { if $0.failures == failures { $0.failure = nil } }
    }
}

extension FileFault {
    /// Whether the disk or the folder is at fault: not the bounds of this process, nor a name that is taken.
    fileprivate var isOfDisk: Bool { ![EMFILE, ENFILE, ENOMEM, EEXIST, EINTR].contains(code) }
}
