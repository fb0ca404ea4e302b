// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
public import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// `theatre.host.v1.SecretStore`: looks after stored secrets for routes of an instance that has the grant `operate`.
///
/// Values go in and never come out. A change, its audit row and the answer are one commit, in the name of who asked.
public struct SecretStoreService: HostService {
    /// The contract's full name.
    public let contract = "theatre.host.v1.SecretStore"
    /// The gateway calls it for a route, so that no plugin sees a value.
    public let servesRoutes = true
    let shelf: SecretShelf
    private let now: @Sendable () -> Int64

    /// A service over the storage instance `storage` and the key source `keySource`.
    ///
    /// - Parameter now: milliseconds since 1970.
    public init(calls: any CallStarting, storage: String, keySource: String, now: @escaping @Sendable () -> Int64) {
        self.init(DispatchedCalls(calls: calls), storage: storage, keySource: keySource, now: now)
    }

    init(_ calls: any UnaryCalling, storage: String, keySource: String, now: @escaping @Sendable () -> Int64) {
        shelf = SecretShelf(caller: UnaryCaller(calls: calls), storage: storage, keySource: keySource)
        self.now = now
    }

    /// Serves one call; see ``HostService``.
    public func serve(_ operation: String, _ call: any HostCall) {
        do throws(CallError) {
            guard call.instance.grants.operates else {
                throw CallError(
                    .permissionDenied, "plugins.not_granted",
                    "Instance \(call.instance.instance) may not look after secrets; grant it `operate: true` in plugins.d."
                )
            }
            switch operation {
            case "Put": try put(try call.decode(HostPutSecretRequest.self), call)
            case "List": list(call)
            case "Show": try show(try call.decode(HostShowSecretRequest.self), call)
            case "Delete": try delete(try call.decode(HostShowSecretRequest.self), call)
            case "Rewrap": rewrap(call)
            default: call.failUnknown(operation, of: contract)
            }
        } catch {
            call.fail(error)
        }
    }

    // MARK: changes

    private func put(_ request: HostPutSecretRequest, _ call: any HostCall) throws(CallError) {
        let address = try Self.address(request.name, request.owner, request.project, call)
        let size = request.value.utf8.count
        guard (1...FileAndEnvironmentSecrets.largestFile).contains(size) else {
            throw CallError(
                .invalidArgument, "secrets.bad_value",
                "A secret has 1 to \(FileAndEnvironmentSecrets.largestFile) bytes.", detail: "/value")
        }
        put(SecretBytes(request.value.utf8), address, call, attempt: 1)
    }

    private func put(_ value: SecretBytes, _ address: SecretAddress, _ call: any HostCall, attempt: Int) {
        let createdBy = call.context.message.principal
        shelf.versions(of: address, call.deadline) { result in
            settle(call, result) { rows in
                shelf.seal(
                    value, address, version: (rows.first?.version ?? 0) + 1, at: now(), by: createdBy, call.deadline
                ) { result in
                    settle(call, result) { row in
                        let answer = Self.masked([row] + rows)
                        commit(row.insert(), answer, of: address, call) { error in
                            // Somebody else was first with this version.
                            guard error.reason == "sql.unique", attempt < 5 else { return call.fail(error) }
                            put(value, address, call, attempt: attempt + 1)
                        }
                    }
                }
            }
        }
    }

    private func delete(_ request: HostShowSecretRequest, _ call: any HostCall) throws(CallError) {
        let address = try Self.address(request.name, request.owner, request.project, call)
        existing(address, call) { rows in
            commit(SecretRow.delete(address, at: now()), Self.masked(rows), of: address, call) { call.fail($0) }
        }
    }

    private func rewrap(_ call: any HostCall) {
        shelf.currentKeyVersion(call.deadline) { result in
            settle(call, result) { current in
                shelf.count(notBy: current, call.deadline) { result in
                    settle(call, result) { count in
                        var request = SQLCommitRequest()
                        if count > 0 { request.attachments.jobs = [SecretRewrap.job] }
                        let answer = HostRewrapSecretsResponse.with { $0.waiting = UInt32(clamping: count) }
                        commit(request, answer, of: nil, call) { call.fail($0) }
                    }
                }
            }
        }
    }

    /// Commits a change with the answer, and gives it once it is stored.
    private func commit(
        _ request: SQLCommitRequest, _ answer: some Message, of address: SecretAddress?, _ call: any HostCall,
        otherwise: @escaping @Sendable (CallError) -> Void
    ) {
        do throws(CallError) {
            let bytes = try encoded(answer)
            var request = request
            request.attachments.answer.payload = Data(bytes)
            shelf.commit(request, Self.context(call, address), call.deadline) { result in
                switch result {
                case .success: call.complete(bytes)
                case .failure(let error): otherwise(error)
                }
            }
        } catch {
            call.fail(error)
        }
    }

    /// That of the route's call: who asked, what is answered. The audit row says which secret it was.
    private static func context(_ call: any HostCall, _ address: SecretAddress?) -> CallContext {
        guard let address else { return call.context }
        var context = call.context.message
        context.resource = address.resource
        context.project = address.project
        return CallContext(context)
    }

    // MARK: looks

    private func list(_ call: any HostCall) {
        shelf.newest(of: call.context.message.tenant, call.deadline) { result in
            settle(call, result) { rows in
                let items = rows.map { Self.masked([$0.row], kept: $0.kept) }
                complete(call, HostStoredSecrets.with { $0.items = items })
            }
        }
    }

    private func show(_ request: HostShowSecretRequest, _ call: any HostCall) throws(CallError) {
        let address = try Self.address(request.name, request.owner, request.project, call)
        existing(address, call) { rows in complete(call, Self.masked(rows)) }
    }

    /// The versions that are there, newest first, or NOT_FOUND.
    private func existing(
        _ address: SecretAddress, _ call: any HostCall, _ body: @escaping @Sendable ([SecretRow]) -> Void
    ) {
        shelf.versions(of: address, call.deadline) { result in
            settle(call, result) { rows in
                let rows = rows.filter { $0.deletedAt == 0 }
                guard !rows.isEmpty else {
                    return call.fail(CallError(.notFound, "secrets.unknown", "There is no stored secret of that name."))
                }
                body(rows)
            }
        }
    }

    // MARK: parts

    private func settle<Value>(
        _ call: any HostCall, _ result: Result<Value, CallError>, _ body: (Value) -> Void
    ) {
        switch result {
        case .success(let value): body(value)
        case .failure(let error): call.fail(error)
        }
    }

    private func complete(_ call: any HostCall, _ answer: some Message) {
        do throws(CallError) { call.complete(try encoded(answer)) } catch { call.fail(error) }
    }

    /// The caller's tenant's, whatever is asked for.
    private static func address(
        _ name: String, _ owner: String, _ project: String, _ call: any HostCall
    ) throws(CallError) -> SecretAddress {
        func bad(_ field: String, _ what: String) -> CallError {
            CallError(.invalidArgument, "secrets.bad_name", "\(what).", detail: "/\(field)")
        }
        guard SecretAddress.isName(name) else {
            throw bad("name", "A secret's name has 1 to 128 letters, digits, dots, _ and -, no dot first")
        }
        let tenant = call.context.message.tenant
        guard !owner.isEmpty else {
            guard project.isEmpty else { throw bad("project", "Only a secret with an owner is of a project") }
            return SecretAddress(tenant: tenant, project: "", owner: SecretAddress.deployment, name: name)
        }
        guard SecretAddress.isName(owner), owner != SecretAddress.deployment else {
            throw bad("owner", "An owner is named like a secret, and not \(SecretAddress.deployment)")
        }
        guard project.isEmpty || SecretAddress.isName(project) else {
            throw bad("project", "A project is named like a secret")
        }
        return SecretAddress(tenant: tenant, project: project, owner: owner, name: name)
    }

    /// - Parameter rows: newest first; not empty.
    private static func masked(_ rows: [SecretRow], kept: Int64? = nil) -> HostStoredSecret {
        HostStoredSecret.with { secret in
            guard let newest = rows.first else { return }
            secret.name = newest.address.name
            secret.owner = newest.address.owner == SecretAddress.deployment ? "" : newest.address.owner
            secret.project = newest.address.project
            secret.version = newest.version
            secret.versions = UInt32(clamping: kept ?? Int64(rows.count { $0.deletedAt == 0 }))
            secret.keyVersion = newest.keyVersion
            secret.createdAt = newest.createdAt
            secret.createdBy = newest.createdBy
        }
    }
}
