// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import TheatreContracts

/// Several reads of one snapshot; see ``Database/read(_:_:)``. Waits for no writer and holds none up.
public final class ReadTransaction {
    private let steps: TransactionSteps

    init(_ steps: TransactionSteps) { self.steps = steps }

    /// Runs one SELECT.
    public nonisolated(nonsending) func rows(
        _ statement: some StatementText, _ values: (any SQLConvertible)?...
    ) async throws -> Rows {
        try await steps.run(statement, expect: nil, values)
    }
}
