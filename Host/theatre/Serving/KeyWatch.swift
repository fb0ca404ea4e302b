// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Gateway
import Logging
import Runtime
import ServiceLifecycle
import Services
import TheatreContracts

/// Takes up versions of keys that were put or removed, without a restart and without a signal.
struct KeyWatch: Service {
    /// How long a change waits at most: a few files' facts are looked at so often. Far less than the time for which a
    /// version is published before it signs.
    static let seconds = 2
    let thread: OperatorThread
    let parts: HostParts

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await Task.sleep(for: .seconds(Self.seconds))
                    try await thread.run { parts.lookAtKeys() }
                } catch {
                    // The host stops.
                    return
                }
            }
        }
    }
}

extension HostParts {
    /// Takes over what the files of keys hold, where they are others than before. Blocks: for the operator's thread.
    func lookAtKeys() {
        let changed = keys.look { key, error in
            logger.error(
                "the files of a key cannot be used; it goes on with what was read before",
                metadata: ["key": "\(key)", "error": "\(error.reason): \(error.message)"])
        }
        guard changed else { return }
        do { tokens.use(try tokens.make()) } catch {
            logger.error(
                "tokens are verified by the versions of the key that were known before",
                metadata: ["error": "\(error)"])
        }
        tellOfKeys()
    }

    /// Has it audited, once, which versions of keys came and went since this was last done, also before a restart.
    func tellOfKeys() {
        var record: KeyRecord
        do throws(CallError) { record = try KeyRecord("\(settings.host.state)/known-keys.json") } catch {
            logger.error(
                "which keys were taken up is not audited until the record of them can be read",
                metadata: ["error": "\(error.reason): \(error.message)"])
            return
        }
        let changes = record.note(keys.known)
        for change in changes {
            logger.notice(
                change.isNew ? "a version of a key was taken up" : "a version of a key is gone",
                metadata: ["key": "\(change.key)", "version": "\(change.id)"])
            audit(
                .operating(
                    "keys:\(change.key)", change.isNew ? "rotate" : "retire", route: "keys",
                    decision: "version \(change.id)"))
        }
        guard record.isChanged else { return }
        do { try record.write() } catch {
            logger.error("which keys were taken up cannot be kept", metadata: ["error": "\(error)"])
        }
    }
}
