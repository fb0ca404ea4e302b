// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What is held of the bearer, and how he has it erased.
extension Accounts: AccountsPrivacyContract, JobsWorkerContract {
    /// Bytes of all parts of an export together: an answer has at most 1 MiB.
    private static let exported = 960 * 1024

    func exportMe(_ request: AccountsExportMeRequest, _ call: Call) async throws -> AccountsPersonalExport {
        let store = AccountsStore(call)
        guard let account = try await store.account(call.principal) else { throw AccountsError.noAccount() }
        let now = host.now
        var parts: [AccountsExportedPart] = []
        // Accounts that were taken over are the same person's.
        for part in [account] + (try await store.mergedInto(account.id)) {
            let own = try await AccountExport(part, store.database).json()
            parts.append(
                .with {
                    $0.instance = host.instance
                    $0.data = own
                })
            let others = try await HostPersonalDataClient(call).export(.with { $0.person = part.id })
            parts += others.parts.map { part in
                .with {
                    $0.instance = part.instance
                    $0.data = part.json
                }
            }
        }
        var left = Self.exported
        for index in parts.indices {
            // What several accounts have each, together may be too much.
            if parts[index].data.utf8.count > left { parts[index].data = #"{"truncated":true}"# }
            left -= parts[index].data.utf8.count
        }
        let all = parts
        return .with {
            $0.accountID = account.id
            $0.createdAt = now
            $0.parts = all
        }
    }

    func requestErasure(_ request: AccountsRequestErasureRequest, _ call: Call) async throws -> AccountsErasure {
        guard !call.context.session.hasPrefix("key_") else { throw AccountsError.byKey() }
        return try await ErasureStore(call).request(Erasure(of: call.principal, at: host.now))
    }

    func cancelErasure(_ request: AccountsCancelErasureRequest, _ call: Call) async throws -> AccountsErasure {
        try await ErasureStore(call).cancel(of: call.principal)
    }

    func getErasure(_ request: AccountsGetErasureRequest, _ call: Call) async throws -> AccountsErasure {
        guard let erasure = try await ErasureStore(call).erasure(request.erasureID) else {
            throw AccountsError.noErasure()
        }
        return erasure.message
    }

    func run(_ request: JobsRunRequest, _ call: Call) async throws -> JobsRunResponse {
        let payload = String(decoding: request.job.payload, as: UTF8.self)
        switch request.job.kind {
        case ErasureStore.kind:
            try await ErasureRun(host: host, configuration: configuration, call: call).run(payload)
        case AccountsStore.sealingKind: try await AccountsStore.seal(after: payload, call)
        default: throw AccountsError.jobKind(request.job.kind)
        }
        return JobsRunResponse()
    }
}
