// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What is held of the bearer, and how he has it erased.
extension Accounts: AccountsPrivacyContract, JobsWorkerContract {
    func exportMe(_ request: AccountsExportMeRequest, _ call: Call) async throws -> AccountsPersonalExport {
        let store = AccountsStore(call)
        guard let account = try await store.account(call.principal) else { throw AccountsError.noAccount() }
        let now = host.now
        // Accounts that were taken over are the same person's.
        let accounts = [account] + (try await store.mergedInto(account.id))
        let pages = ExportPages(accounts: accounts, instance: host.instance, store: store, call: call)
        let (parts, next) = try await pages.page(after: request.cursor)
        return .with {
            $0.accountID = account.id
            $0.createdAt = now
            $0.parts = parts
            $0.nextCursor = next
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
