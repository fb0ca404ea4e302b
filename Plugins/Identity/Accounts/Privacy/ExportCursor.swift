// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PersonalExports
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Where an export goes on: at which of the bearer's accounts, at what is held of it here or elsewhere, and there from
/// which cursor on. It opens nothing: an account that is not the bearer's is refused by whoever reads it.
struct ExportCursor: Hashable {
    enum Holder: Int64 {
        /// This plugin.
        case here = 0
        /// Everyone whom the host asks.
        case elsewhere = 1
    }

    var account: String
    var holder: Holder
    var cursor: String

    init(_ account: String, _ holder: Holder, _ cursor: String = "") {
        self.account = account
        self.holder = holder
        self.cursor = cursor
    }

    /// From what a client handed back; INVALID_ARGUMENT `request.cursor` for anything else.
    init(text: String) throws {
        let values: [SQLValue]
        do { values = try PageCursor(text: text, count: 3).values } catch { throw PersonalExport.badCursor() }
        guard case .text(let account)? = values[0].kind, case .integer(let number)? = values[1].kind,
            let holder = Holder(rawValue: number), case .text(let cursor)? = values[2].kind
        else { throw PersonalExport.badCursor() }
        self.init(account, holder, cursor)
    }

    var text: String {
        get throws { try PageCursor([account.sqlValue, holder.rawValue.sqlValue, cursor.sqlValue]).text }
    }
}
