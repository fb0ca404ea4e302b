// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PersonalExports
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// An export of a person's accounts, the one that took over first: of each what is held here, then what is held elsewhere.
struct ExportPages {
    /// Bytes of a page, which is below 1 MiB with all that is around them.
    private static let bytes = 960 * 1024
    /// Bytes around a part.
    private static let around = 128
    /// Pages of others that are put together in one, however small: a call has its time.
    private static let reads = 24

    let accounts: [AccountsAccount]
    let instance: String
    let store: AccountsStore
    let call: Call

    /// One page, and the cursor of the next, which is empty at the end.
    func page(after cursor: String) async throws -> (parts: [AccountsExportedPart], next: String) {
        var place: ExportCursor? = try start(cursor)
        var (parts, used) = ([AccountsExportedPart](), 0)
        for _ in 0..<Self.reads {
            guard let now = place, used + Self.most(from: now.holder) <= Self.bytes else { break }
            let (found, next) = try await read(now)
            used += found.reduce(0) { $0 + $1.data.utf8.count + $1.instance.utf8.count + Self.around }
            parts += found
            place = next.isEmpty ? following(now) : ExportCursor(now.account, now.holder, next)
            guard next.isEmpty else { break }
        }
        return (parts, try place?.text ?? "")
    }

    private func start(_ cursor: String) throws -> ExportCursor {
        guard !cursor.isEmpty else { return ExportCursor(accounts[0].id, .here) }
        let place = try ExportCursor(text: cursor)
        guard accounts.contains(where: { $0.id == place.account }) else { throw PersonalExport.badCursor() }
        return place
    }

    private func following(_ place: ExportCursor) -> ExportCursor? {
        if place.holder == .here { return ExportCursor(place.account, .elsewhere) }
        let rest = accounts.drop { $0.id != place.account }.dropFirst()
        return rest.first.map { ExportCursor($0.id, .here) }
    }

    private func read(_ place: ExportCursor) async throws -> (parts: [AccountsExportedPart], next: String) {
        switch place.holder {
        case .here:
            guard let account = accounts.first(where: { $0.id == place.account }) else { return ([], "") }
            let page = try await AccountExport(account: account, database: store.database).page(after: place.cursor)
            return ([Self.part(instance, page.json)], page.next)
        case .elsewhere:
            let page = try await HostPersonalDataClient(call).export(
                .with {
                    $0.person = place.account
                    $0.cursor = place.cursor
                })
            return (page.parts.map { Self.part($0.instance, $0.json) }, page.nextCursor)
        }
    }

    /// What a page of theirs has at most.
    private static func most(from holder: ExportCursor.Holder) -> Int {
        holder == .here ? PersonalExport.bytes : 768 * 1024
    }

    private static func part(_ instance: String, _ data: String) -> AccountsExportedPart {
        .with {
            $0.instance = instance
            $0.data = data
        }
    }
}
