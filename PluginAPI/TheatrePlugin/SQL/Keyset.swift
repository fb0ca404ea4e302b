// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreContracts

/// The order of a list that is read in pages: columns, none of them NULL, that together are unique.
public struct Keyset: Sendable, Hashable {
    /// A column and its direction.
    public struct Column: Sendable, Hashable {
        /// As in the statement; `n.at` where it needs the table.
        public var name: String
        /// Highest first.
        public var isDescending: Bool

        /// Lowest first.
        public static func ascending(_ name: String) -> Column { Column(name: name, isDescending: false) }
        /// Highest first.
        public static func descending(_ name: String) -> Column { Column(name: name, isDescending: true) }

        /// The name that the row gives the column.
        var plain: String { String(name.split(separator: ".").last ?? "") }
    }

    /// In order of weight.
    public let columns: [Column]

    /// Ordered by these.
    public init(_ columns: Column...) { self.columns = columns }

    /// What goes behind a statement's WHERE: the place after `values`, the order and the limit.
    ///
    /// - Parameter used: parameters that the statement has already.
    func clause(after values: [SQLValue]?, limit: Int, used: Int) -> (sql: String, parameters: [SQLValue]) {
        var sql = ""
        var parameters: [SQLValue] = []
        if let values {
            parameters = values
            let numbers = columns.indices.map { "?\(used + $0 + 1)" }
            sql += " AND (\(isUniform ? compared(numbers) : expanded(numbers)))"
        }
        let order = columns.map { "\($0.name) \($0.isDescending ? "DESC" : "ASC")" }
        sql += " ORDER BY \(order.joined(separator: ", ")) LIMIT ?\(used + parameters.count + 1)"
        parameters.append(limit.sqlValue)
        return (sql, parameters)
    }

    private var isUniform: Bool { Set(columns.map(\.isDescending)).count == 1 }

    /// `(at, id) < (?1, ?2)`, which an index answers at once.
    private func compared(_ numbers: [String]) -> String {
        let names = columns.map(\.name).joined(separator: ", ")
        return "(\(names)) \(columns[0].isDescending ? "<" : ">") (\(numbers.joined(separator: ", ")))"
    }

    /// `at < ?1 OR (at = ?1 AND id > ?2)` where directions differ.
    private func expanded(_ numbers: [String]) -> String {
        columns.indices.map { place in
            let equal = columns[..<place].indices.map { "\(columns[$0].name) = \(numbers[$0])" }
            let beyond = "\(columns[place].name) \(columns[place].isDescending ? "<" : ">") \(numbers[place])"
            return "(\((equal + [beyond]).joined(separator: " AND ")))"
        }.joined(separator: " OR ")
    }
}

/// One page of a list.
public struct Page: Sendable {
    /// At most as many as asked for.
    public let rows: [Row]
    /// What asks for the next page; empty on the last.
    public let next: String
}
