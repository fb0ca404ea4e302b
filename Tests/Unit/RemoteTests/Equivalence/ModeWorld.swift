// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Registry
import Runtime
import Staging
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatreManifest
import Transcoding

/// A plugin in one mode, with all it needs beside it in the test's own process, and a host that answers the same to all.
final class ModeWorld {
    let mode: InstanceMode
    let stage: Stage
    let host = SteadyHost()
    let catalog: ContractCatalog
    private let server: PluginProcess?
    /// The one of the plugin that is tried.
    static let name = "tried"

    /// - Parameter folder: three letters below it are the modes' own.
    init(_ scenario: Scenario, _ mode: InstanceMode, folder: String) throws {
        self.mode = mode
        stage = try Stage()
        var server: PluginProcess?
        let state = "\(folder)/\(Self.letter(mode))"
        if mode == .remote {
            server = try PluginProcess.serve(
                scenario.plugin, ["--listen", "unix:\(folder)/socket", "--plaintext", "--state", state])
        }
        self.server = server
        var tried =
            if let server {
                try Stage.plan(scenario.plugin, Self.name, at: server.address, configuration: scenario.configuration)
            } else {
                try Stage.plan(scenario.plugin, Self.name, mode, configuration: scenario.configuration)
            }
        catalog = try ContractCatalog(descriptorSets: [tried.file.contracts], comments: false)
        tried = try Self.complete(tried, state, host)
        var plans = [tried], waiting = tried.file.manifest.needs.map(\.capability)
        while let need = waiting.popLast() {
            guard let (plugin, configuration) = Self.providers[need] else { throw Unresolved(what: need) }
            guard !plans.contains(where: { $0.name == Self.instance(plugin) }) else { continue }
            let plan = try Self.complete(
                Stage.plan(plugin, Self.instance(plugin), .inproc, configuration: configuration), "\(folder)/p", host)
            waiting += plan.file.manifest.needs.map(\.capability)
            plans.append(plan)
        }
        let all = plans
        try stage.start(all) { NeedRoutes($0, all) }
    }

    static func letter(_ mode: InstanceMode) -> String {
        switch mode {
        case .inproc: "i"
        case .isolated: "s"
        case .remote: "r"
        }
    }

    /// Who meets a need.
    private static let providers = [
        "theatre.sql.v1.Database": ("SQLite", "{}"), "theatre.jobs.v1.Queue": ("SQLite", "{}"),
        "theatre.auth.v1.Provider": ("Password", Scenarios.quickHashes),
        "theatre.ledger.v1.Ledger": ("Ledger", "{}"), "theatre.payment.v1.Provider": ("PaymentSimulator", "{}"),
        "theatre.content.v1.Chat": ("Offline", "{}"), "theatre.content.v1.Embedding": ("Offline", "{}"),
        "theatre.culture.v1.Pack": ("Bianjing", "{}"), "theatre.notification.v1.Channel": ("Inbox", "{}"),
    ]

    static func instance(of capability: String) -> String? { providers[capability].map { instance($0.0) } }

    private static func instance(_ plugin: String) -> String { "with-\(plugin.lowercased())" }

    /// With its operations' and calls' traits, its state folder, and all the grants that it asks for.
    private static func complete(_ plan: InstancePlan, _ state: String, _ host: SteadyHost) throws -> InstancePlan {
        var plan = plan
        let manifest = plan.file.manifest
        let catalog = try ContractCatalog(descriptorSets: [plan.file.contracts], comments: false)
        let needs = Dictionary(manifest.needs.map { ($0.feature, $0.capability) }) { first, _ in first }
        plan.operations = manifest.operations.map { PortOperation($0, OperationTraits(of: $0, in: catalog)) }
        plan.calls = manifest.calls.map { call in
            let owner = Manifest.owner(of: call)
            guard let capability = needs[owner] else {
                return PortCall(call, .service(host, operation: call), OperationTraits(of: call, in: catalog))
            }
            let operation = "\(capability)\(call.dropFirst(owner.count))"
            return PortCall(
                call, .feature(owner, operation: operation, fallback: false),
                OperationTraits(of: operation, in: catalog))
        }
        plan.providers = Set(manifest.needs.compactMap { instance(of: $0.capability) })
        plan.limits.maxConcurrency = manifest.maxConcurrency
        plan.grants.publishes = Set(manifest.grants.publishes)
        plan.environment.publicURL = "http://127.0.0.1:8080"
        plan.environment.development = true
        if manifest.grants.stateFolder {
            plan.environment.stateFolder = "\(state)/\(plan.name)"
            try FileManager.default.createDirectory(
                atPath: plan.environment.stateFolder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        return plan
    }

    func stop() {
        stage.stop()
        server?.end()
    }
}

/// Each need goes to the one instance that meets it.
private final class NeedRoutes: Routing {
    private let ports: [String: InstancePort]
    private let needs: [String: String]

    init(_ ports: [String: InstancePort], _ plans: [InstancePlan]) {
        self.ports = ports
        needs = Dictionary(
            plans.flatMap { plan in
                plan.file.manifest.needs.compactMap { need in
                    ModeWorld.instance(of: need.capability).map { (need.feature, $0) }
                }
            }, uniquingKeysWith: { first, _ in first })
    }

    func resolve(_ query: borrowing RouteQuery) -> Resolution {
        guard let port = needs[query.feature].flatMap({ ports[$0] }),
            let operation = port.operation(named: query.operation)
        else { return .unavailable(CallError(.unavailable, "route.unrouted", "Nothing meets it here.")) }
        return .single(RouteCandidate(port: port, operation: operation, profile: ""))
    }
}

/// Answers what plugins ask of their host, the same each time, and keeps what that was.
final class SteadyHost: HostService {
    let contract = "theatre.host.v1"
    private let asked = Mutex<[(operation: String, payload: [UInt8])]>([])

    /// What was asked since it was looked at last.
    func takeAsked() -> [(operation: String, payload: [UInt8])] {
        asked.withLock { asked in
            defer { asked = [] }
            return asked
        }
    }

    func serve(_ operation: String, _ call: any HostCall) {
        if call.instance.instance == ModeWorld.name { asked.withLock { $0.append((operation, call.payload)) } }
        do {
            call.complete(try answer(operation, call.payload))
        } catch {
            call.fail(CallError(.internal, "test.host", "\(error)"))
        }
    }

    private static let signature = Data(repeating: 9, count: 64)
    private static let mac = [UInt8](repeating: 7, count: 32)

    /// Another for each address, and the same each time.
    private static func digest(of data: Data) -> [UInt8] {
        var digest = mac
        for (index, byte) in data.enumerated() { digest[index % 32] = digest[index % 32] &* 31 &+ byte }
        return digest
    }

    private func answer(_ operation: String, _ payload: [UInt8]) throws -> [UInt8] {
        switch operation {
        case "theatre.host.v1.Keys/Mac":
            let request = try HostMacRequest(serializedBytes: payload)
            let mac = request.key == "index" ? Self.digest(of: request.data) : Self.mac
            return try HostMacResponse.with {
                $0.mac = Data(mac)
                $0.keyID = "key-1"
            }.serializedBytes()
        case "theatre.host.v1.PersonalKeys/Seal":
            let values = try HostSealPersonalRequest(serializedBytes: payload).values
            return try HostSealPersonalResponse.with { $0.sealed = values.map { Data($0.reversed()) } }
                .serializedBytes()
        case "theatre.host.v1.PersonalKeys/Open":
            let sealed = try HostOpenPersonalRequest(serializedBytes: payload).sealed
            return try HostOpenPersonalResponse.with { $0.values = sealed.map { Data($0.reversed()) } }
                .serializedBytes()
        case "theatre.host.v1.PersonalData/Export":
            return try HostExportPersonalResponse.with {
                $0.parts = [.with { ($0.instance, $0.json) = ("inbox", "{}") }]
            }.serializedBytes()
        case "theatre.host.v1.Keys/VerifyMac":
            let isValid = Array(try HostVerifyMacRequest(serializedBytes: payload).mac) == Self.mac
            return try HostVerifyMacResponse.with { $0.valid = isValid }.serializedBytes()
        case "theatre.host.v1.Keys/Verify":
            let isValid = try HostVerifySignatureRequest(serializedBytes: payload).signature == Self.signature
            return try HostVerifySignatureResponse.with { $0.valid = isValid }.serializedBytes()
        case "theatre.host.v1.Keys/Sign":
            return try HostSignResponse.with {
                $0.signature = Self.signature
                $0.keyID = "key-1"
                $0.algorithm = "EdDSA"
            }.serializedBytes()
        case "theatre.host.v1.Keys/PublicKeys":
            return try HostPublicKeysResponse.with {
                $0.keys = [
                    .with {
                        $0.keyID = "key-1"
                        $0.algorithm = "EdDSA"
                        $0.jwk = #"{"kty":"OKP","crv":"Ed25519","x":"AA","kid":"key-1","alg":"EdDSA","use":"sig"}"#
                    }
                ]
            }.serializedBytes()
        case "theatre.host.v1.Secrets/Lease":
            let key = Data((0..<32).map { UInt8($0) }).base64EncodedString()
            return try HostLeaseResponse.with { $0.value = Data("1:\(key)".utf8) }.serializedBytes()
        case "theatre.host.v1.Egress/Fetch":
            let url = try HostFetchRequest(serializedBytes: payload).url
            let isVault = url.hasPrefix("https://vault.")
            let models = #"{"data": [{"id": "claude-b"}, {"id": "claude-a"}], "has_more": false}"#
            let vault = #"{"data": {"data": {"value": "a secret"}, "metadata": {"version": 3}}}"#
            return try HostFetchResponse.with {
                $0.status = 200
                $0.body = Data((isVault ? vault : url.contains("/v1/models") ? models : "OK").utf8)
            }.serializedBytes()
        case "theatre.host.v1.Plugins/List":
            return try HostInstances.with { $0.instances = [Self.instance] }.serializedBytes()
        case "theatre.host.v1.Plugins/Logs":
            return try HostInstanceLogs.with {
                $0.lines = [
                    .with {
                        $0.level = "info"
                        $0.message = "it began"
                        $0.fields = "{}"
                    }
                ]
            }.serializedBytes()
        case "theatre.host.v1.Plugins/Swap", "theatre.host.v1.Plugins/Rollback":
            return try HostSwapped.with {
                $0.instance = Self.instance
                ($0.from, $0.to) = (1, 2)
            }.serializedBytes()
        case "theatre.host.v1.Audit/Search":
            return try HostAuditRecords.with {
                $0.records = [
                    .with {
                        $0.at = 1_700_000_000_000
                        $0.actor = "usr_1"
                        $0.seq = 7
                    }
                ]
                $0.nextCursor = "41"
            }.serializedBytes()
        case "theatre.host.v1.Audit/Verify":
            return try HostAuditVerdict.with {
                $0.rows = 7
                $0.findings = [
                    .with {
                        $0.code = "audit.row_changed"
                        $0.seq = 5
                    }
                ]
            }.serializedBytes()
        case _ where operation.hasPrefix("theatre.host.v1.Plugins/"): return try Self.instance.serializedBytes()
        default: return []
        }
    }

    private static let instance = HostInstance.with {
        $0.instance = "ledger"
        $0.plugin = "Ledger"
        $0.version = "0.1.0"
        $0.mode = "inproc"
        $0.state = "READY"
        $0.generation = 1
    }
}
