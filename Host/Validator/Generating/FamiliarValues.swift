// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Values that fields of a telling name usually take, so that more requests get past a plugin's first check.
///
/// A guess and nothing else: no check relies on one being right.
enum FamiliarValues {
    static let texts: [String: [String]] = [
        "account": ["wallet:usr_1", "chips"],
        "address": ["42", "https://example.com/hook", "li@example.org"],
        "category": ["finished"],
        "channel": ["native"],
        "content_type": ["text/plain", "image/png"],
        "cron": ["0 3 * * *"],
        "currency": ["CNY", "USD"],
        "data": [#"{"a":1}"#],
        "email": ["li@example.org"],
        "identifier": ["li@example.org"],
        "language": ["zh", "en"],
        "locale": ["zh-CN", "en"],
        "method": ["GET", "POST"],
        "number": ["number_000001"],
        "notify_url": ["http://127.0.0.1:8080/api/v1/payments/simulator/notify"],
        "path": ["/api/v1/orders", "backup"],
        "redirect_uri": ["https://example.com/return"],
        "sql": ["SELECT 1", "SELECT :tenant", "DELETE FROM {rows} WHERE id = 1"],
        "target": ["json", "markdown"],
        "task": ["", "outline"],
        "time_zone": ["Asia/Shanghai"],
        "type": ["tried"],
        "url": ["https://example.com/", "https://api.example.com/v1/x"],
        "user": ["usr_1"],
    ]

    /// One for a field of that name, if it is telling.
    static func text(_ name: String, _ numbers: inout SeededNumbers) -> String? {
        texts[name]?.randomElement(using: &numbers)
    }
}
