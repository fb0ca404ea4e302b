// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Runtime
import Staging
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreManifest
import Transcoding

/// What the contracts' scenarios have in common.
enum Scenarios {
    static let all = money + people + content + storage
    /// Hashes that are no use but to be quick.
    static let quickHashes = #"{"memory_kib": 64, "iterations": 1}"#
}

/// Each contract's scenario, by the same library, gives the same bytes and the same errors in each mode.
@Suite(.serialized) struct ScenarioTests {
    /// One call as it went, with what differs by itself masked.
    private struct Seen: Equatable {
        var operation: String
        var payload: [UInt8] = []
        var chunks: [[UInt8]] = []
        var error: CallError?
        var asked: [String] = []

        var shown: String {
            let parts = ([payload] + chunks).map { String(decoding: $0, as: UTF8.self).debugDescription }
            return error.map { "\($0)" } ?? "\(parts.joined(separator: ", ")); asked \(asked)"
        }
    }

    @Test(arguments: Scenarios.all) func aScenarioGoesTheSameInEachMode(_ scenario: Scenario) throws {
        for difference in try differences(scenario) { Issue.record("\(difference)") }
    }

    @Test func whatIsNotTheSameIsFound() throws {
        let request = #"{"method": "GET", "path": "/x", "route": "/x"}"#
        let scenario = Scenario("theatre.http.v1.Handler", by: "TwoFaced", [.call("Handle", request)])
        #expect(try differences(scenario).first?.contains("abroad") == true)
    }

    /// What a mode gives otherwise than the first, step by step.
    private func differences(_ scenario: Scenario) throws -> [String] {
        var found: [String] = []
        try Stage.withFolder { folder in
            let modes = try Self.modes(of: scenario.plugin)
            #expect(modes.count > 1, "there is nothing to compare")
            var played: [(mode: InstanceMode, seen: [Seen])] = []
            for mode in modes { played.append((mode, try play(scenario, mode, folder))) }
            guard let first = played.first else { return }
            for other in played.dropFirst() {
                #expect(other.seen.count == first.seen.count)
                for (index, (a, b)) in zip(first.seen, other.seen).enumerated() where a != b {
                    found.append(
                        "step \(index), \(a.operation): \(first.mode) gives \(a.shown), \(other.mode) gives \(b.shown)")
                }
            }
        }
        return found
    }

    /// What a plugin serves here is played here: a contract without a scenario is named.
    @Test func eachContractThatAPluginServesHasAScenario() throws {
        var served: [String: Set<String>] = [:]
        for plugin in try Self.plugins() {
            for operation in try Self.manifest(plugin).operations {
                served[Manifest.owner(of: operation), default: []].insert(operation)
            }
        }
        #expect(served.count >= 20)
        for (contract, operations) in served.sorted(by: { $0.key < $1.key }) {
            let scenarios = Scenarios.all.filter { $0.contract == contract }
            #expect(!scenarios.isEmpty, "\(contract) is served and has no scenario")
            #expect(Set(scenarios.map(\.plugin)).count == scenarios.count, "\(contract) is played twice by one plugin")
            let called = Set(Scenarios.all.flatMap { scenario in scenario.steps.map { Self.full($0, scenario) } })
            #expect(operations.subtracting(called) == [], "in no scenario")
        }
    }

    /// Each operation that its plugin serves of the contract is answered at least once, unless it can only be refused.
    @Test(arguments: Scenarios.all) func aScenarioCallsAllOfItsContract(_ scenario: Scenario) throws {
        let served = try Self.manifest(scenario.plugin).operations.filter {
            Manifest.owner(of: $0) == scenario.contract
        }
        let answered = Set(scenario.steps.filter { $0.reason == nil }.map { Self.full($0, scenario) })
        #expect(Set(served).subtracting(answered).subtracting(Self.refusedOnly) == [])
    }

    /// A notification is only verified where the provider's key signed it, which the steady host's does not; a second
    /// factor only with a code of this half minute, a code or another provider's word only where one is routed, and a key
    /// ends at a time that no scenario can name; a video is made by the clock.
    private static let refusedOnly: Set = [
        "theatre.payment.v1.Provider/VerifyNotification", "theatre.accounts.v1.SecondFactor/ConfirmFactor",
        "theatre.accounts.v1.SecondFactor/CompleteSignIn", "theatre.accounts.v1.SecondFactor/RemoveFactor",
        "theatre.accounts.v1.Identities/SendCode", "theatre.accounts.v1.Identities/VerifyCode",
        "theatre.accounts.v1.Identities/StartOAuth", "theatre.accounts.v1.Identities/FinishOAuth",
        "theatre.accounts.v1.Credentials/CreateKey", "theatre.accounts.v1.Credentials/RevokeKey",
        "theatre.accounts.v1.Keys/ResolveKey", "theatre.content.v1.Video/Fetch",
    ]

    // MARK: playing

    private func play(_ scenario: Scenario, _ mode: InstanceMode, _ folder: String) throws -> [Seen] {
        let folder = "\(folder)/\(ModeWorld.letter(mode))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let state = "\(folder)/\(ModeWorld.letter(mode))"
        let world = try ModeWorld(scenario, mode, folder: folder)
        defer { world.stop() }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var mask = Mask(
            now: Int64(now.tv_sec) * 1000,
            paths: [
                (Array("\(state)/".utf8), Array("\(folder.dropLast())_/_/".utf8)),
                (Array("\(folder)/".utf8), Array("\(folder.dropLast())_/".utf8)),
            ])
        var answers: [String: JSONValue] = [
            "state": .object(["path": .string("\(state)/\(ModeWorld.name)/backup.db")])
        ]
        var seen: [Seen] = []
        for step in scenario.steps {
            let operation = Self.full(step, scenario)
            let messages = try step.messages.map { message in
                let value = try JSONValue(json: Data(message.utf8)).resolved(answers)
                let input = try #require(world.catalog.operation(operation), "\(operation)").input
                return try world.catalog.transcoder(for: input).encode([UInt8](value.json()))
            }
            let principal = try JSONValue.string(step.principal).resolved(answers).string ?? ""
            let answer = try call(
                world, operation, messages, by: principal, in: step.session, at: step.instance)
            #expect(answer.error?.reason == step.reason, "\(mode) \(operation): \(String(describing: answer.error))")
            if !step.name.isEmpty { answers[step.name] = try value(answer, operation, world) }
            var record = record(answer, operation, world, &mask)
            if step.isChance { (record.payload, record.chunks) = ([], []) }
            seen.append(record)
        }
        // What every operation is asked by somebody, some time.
        for operation in try Self.manifest(scenario.plugin).operations
        where Manifest.owner(of: operation) == scenario.contract {
            for bytes in [[], [0xff, 0xff, 0xff]] as [[UInt8]] {
                let answer = try call(world, operation, [bytes], by: "usr_1")
                #expect(bytes.isEmpty || answer.error != nil, "\(operation) takes what is no message")
                seen.append(record(answer, operation, world, &mask))
            }
        }
        return seen
    }

    private func call(
        _ world: ModeWorld, _ operation: String, _ messages: [[UInt8]], by principal: String, in session: String = "",
        at instance: String = ModeWorld.name
    ) throws -> Answer {
        let context =
            try HostContext.with {
                $0.tenant = "default"
                $0.project = "prj_1"
                $0.principal = principal
                $0.principalKind = .user
                $0.session = session
                $0.requestID = "req_1"
                $0.caller = "tester"
                $0.publishes = "note"
                $0.queues = "work"
            }.serializedBytes() as [UInt8]
        let received = CallContext(received: context, origin: 0)
        do {
            guard world.catalog.operation(operation)?.isClientStreaming == true else {
                return try world.stage.call(
                    instance, operation, messages.first ?? [], seconds: 60, context: received)
            }
            return try world.stage.converse(instance, operation, messages, context: received)
        } catch let error as CallError {
            // What the plugin does not serve is refused before there is a call.
            return Answer(error: error)
        }
    }

    private func value(_ answer: Answer, _ operation: String, _ world: ModeWorld) throws -> JSONValue {
        let output = try #require(world.catalog.operation(operation)).output
        let bytes = answer.chunks.last ?? answer.payload
        return try JSONValue(json: Data(world.catalog.transcoder(for: output).decode(bytes)))
    }

    private func record(_ answer: Answer, _ operation: String, _ world: ModeWorld, _ mask: inout Mask) -> Seen {
        let output = world.catalog.operation(operation)?.output ?? ""
        var seen = Seen(operation: operation)
        seen.payload = mask(world.catalog.canonical(answer.payload, output))
        seen.chunks = answer.chunks.map { mask(world.catalog.canonical($0, output)) }
        seen.error = answer.error
        if let error = answer.error {
            seen.error = CallError(
                error.code, error.reason, mask(error.message), effect: error.effect, retry: Self.untimed(error.retry),
                detail: error.detail)
        }
        seen.asked = world.host.takeAsked().map { call in
            "\(call.operation) \(mask(call.payload).map { String($0, radix: 16) }.joined(separator: " "))"
        }
        return seen
    }

    private static func untimed(_ retry: CallError.Retry) -> CallError.Retry {
        if case .after = retry { .after(milliseconds: 1) } else { retry }
    }

    // MARK: what there is

    private static func full(_ step: Scenario.Step, _ scenario: Scenario) -> String {
        step.operation.contains("/")
            ? String(step.operation.split(separator: ":").last ?? "") : "\(scenario.contract)/\(step.operation)"
    }

    private static func modes(of plugin: String) throws -> [InstanceMode] {
        try manifest(plugin).modes.compactMap(InstanceMode.init(rawValue:))
    }

    private static func manifest(_ plugin: String) throws -> Manifest {
        try PluginFile(name: plugin, path: "\(Stage.folder)/lib\(plugin).so").manifest
    }

    /// Of this package, by their manifests.
    private static func plugins() throws -> [String] {
        let folder = URL(filePath: #filePath).path.split(separator: "/").dropLast(5).joined(separator: "/")
        let root = "/\(folder)/Plugins"
        return try FileManager.default.contentsOfDirectory(atPath: root).flatMap { group in
            try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(group)").filter {
                FileManager.default.fileExists(atPath: "\(root)/\(group)/\($0)/plugin.json")
            }
        }
    }
}
