// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatrePlugin

/// Whose tables they are, which a migration has written down.
final class KnownEngine: Sendable {
    private let known = Mutex<FullText?>(nil)

    /// Its full text; read once.
    func text(of database: Database) async throws -> FullText {
        if let engine = known.withLock({ $0 }) { return engine }
        let name = try await database.read("SELECT name FROM {engine}").first?.text("name") ?? ""
        guard let engine = FullText(rawValue: name) else { throw KnowledgeError.row("name of the engine") }
        known.withLock { $0 = engine }
        return engine
    }
}
