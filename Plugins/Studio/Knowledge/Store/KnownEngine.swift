// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatrePlugin

/// Whose tables they are, which a migration has written down.
final class KnownEngine: Sendable {
    private let known = Mutex<FullText?>(nil)

    /// Reads it.
    func learn(_ database: Database) async throws {
        let name = try await database.read("SELECT name FROM {engine}").first?.text("name") ?? ""
        guard let engine = FullText(rawValue: name) else { throw KnowledgeError.row("name of the engine") }
        known.withLock { $0 = engine }
    }

    /// Its full text.
    func text() throws -> FullText {
        guard let engine = known.withLock({ $0 }) else { throw KnowledgeError.row("name of the engine") }
        return engine
    }
}
