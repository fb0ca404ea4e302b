// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

/// The proof of the books: one statement, so that all of it is seen at one moment.
enum LedgerProof {
    static let sql = """
        SELECT 'count' AS kind, '' AS name, COUNT(*) AS found, 0 AS expected FROM {postings} WHERE tenant = :tenant
        UNION ALL
        SELECT 'currency', currency, SUM(amount), 0 FROM {postings} WHERE tenant = :tenant
        GROUP BY currency HAVING SUM(amount) <> 0
        UNION ALL
        SELECT 'entry', entry_id, SUM(amount), 0 FROM {postings} WHERE tenant = :tenant
        GROUP BY entry_id, currency HAVING SUM(amount) <> 0
        UNION ALL
        SELECT 'empty', e.id, 0, 2 FROM {entries} AS e WHERE e.tenant = :tenant AND NOT EXISTS (
            SELECT 1 FROM {postings} AS p WHERE p.tenant = e.tenant AND p.entry_id = e.id)
        UNION ALL
        SELECT 'balance', a.account, a.balance, COALESCE(SUM(p.amount), 0)
        FROM {accounts} AS a LEFT JOIN {postings} AS p ON p.tenant = a.tenant AND p.account = a.account
        WHERE a.tenant = :tenant GROUP BY a.account, a.balance HAVING a.balance <> COALESCE(SUM(p.amount), 0)
        UNION ALL
        SELECT 'orphan', p.account, COUNT(*), 0 FROM {postings} AS p WHERE p.tenant = :tenant AND NOT EXISTS (
            SELECT 1 FROM {accounts} AS a WHERE a.tenant = p.tenant AND a.account = p.account) GROUP BY p.account
        UNION ALL
        SELECT 'held', a.account, a.held, COALESCE(SUM(h.amount), 0)
        FROM {accounts} AS a LEFT JOIN {holds} AS h
            ON h.tenant = a.tenant AND h.account = a.account AND h.phase = 'held'
        WHERE a.tenant = :tenant GROUP BY a.account, a.held HAVING a.held <> COALESCE(SUM(h.amount), 0)
        UNION ALL
        SELECT 'floor', account, balance - held, 0 FROM {accounts}
        WHERE tenant = :tenant AND account NOT LIKE 'system:%' AND balance - held < 0
        LIMIT 101
        """

    static func response(_ rows: Rows) throws -> LedgerVerifyResponse {
        var response = LedgerVerifyResponse()
        for row in rows {
            let found = try row.int("found")
            if try row.text("kind") == "count" {
                response.postings = found
            } else {
                let sentence = try sentence(row.text("kind"), row.text("name"), found, row.int("expected"))
                response.faults.append(sentence)
            }
        }
        response.ok = response.faults.isEmpty
        return response
    }

    private static func sentence(_ kind: String, _ name: String, _ found: Int64, _ expected: Int64) -> String {
        switch kind {
        case "currency": "The postings in \(name) sum to \(found), not to 0."
        case "entry": "The postings of \(name) sum to \(found), not to 0."
        case "empty": "Entry \(name) has no postings."
        case "balance": "Account \(name) says \(found); its postings sum to \(expected)."
        case "orphan": "\(found) postings are of account \(name), which is not kept."
        case "held": "Account \(name) holds \(found); its open holds sum to \(expected)."
        default: "Account \(name) has \(found) available, which is below its floor of 0."
        }
    }
}
