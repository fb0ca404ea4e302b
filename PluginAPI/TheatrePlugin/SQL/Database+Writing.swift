// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import TheatreContracts

extension Database {
    /// Runs `body` in one interactive transaction: committed when it returns, rolled back when it throws.
    ///
    /// It waits its turn, then may last 2 s. Inside it the host refuses egress and calls to other plugins. Where another
    /// transaction got in the way nothing of it was kept, and `body` runs again: it must change nothing but the database.
    public nonisolated(nonsending) func write<Output>(
        _ options: WriteOptions = WriteOptions(),
        _ body: nonisolated(nonsending) (Transaction) async throws -> Output
    ) async throws -> Output {
        var attempt = 1
        while true {
            do {
                return try await writeOnce(options, body)
            } catch let error as PluginError where error.allowsAnotherTransaction && attempt < options.attempts {
                try await TransactionPause.take(after: attempt)
                attempt += 1
            }
        }
    }

    private nonisolated(nonsending) func writeOnce<Output>(
        _ options: WriteOptions, _ body: nonisolated(nonsending) (Transaction) async throws -> Output
    ) async throws -> Output {
        let steps = TransactionSteps(try await client.transact(), owner)
        do {
            if let begin = options.begin { try await steps.begin(begin) }
            let transaction = Transaction(steps)
            let output = try await body(transaction)
            try await transaction.commit()
            await prepare(steps.unprepared)
            return output
        } catch {
            await steps.abandon()
            if let error = error as? PluginError, error.reason == PluginError.unknownStatement { steps.forgetNumbers() }
            throw error
        }
    }

    /// Prepares what a transaction had to send as text, so that the next one need not.
    private nonisolated(nonsending) func prepare(_ statements: [PreparedStatement]) async {
        for statement in statements {
            do { _ = try await number(of: statement) } catch {
                // Committed already: the next one sends its text again and tries anew.
                return
            }
        }
    }
}
