// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

extension Rows {
    /// What `SELECT count(*) AS n` answered.
    func number() throws -> Int64 { try first?.int("n") ?? 0 }
}
