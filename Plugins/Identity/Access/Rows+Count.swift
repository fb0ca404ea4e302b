// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

extension [Row] {
    /// What `SELECT count(*) AS n` answered.
    func count() throws -> Int64 { try first?.int("n") ?? 0 }
}
