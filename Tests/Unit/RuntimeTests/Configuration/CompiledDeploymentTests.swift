// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Registry
import Testing

@testable import Runtime

/// From the files of `plugins.d` and the libraries beside them to one proved table, or to every fault at once.
@Suite struct CompiledDeploymentTests {
    /// A folder of libraries and documents, removed at the end.
    private final class Bench {
        let folder = FileManager.default.temporaryDirectory.path + "/theatre-unit-\(UInt64.random(in: 0 ... .max))"
        var documents: [YAMLDocument] = []

        init() throws {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }

        func library(_ name: String, _ manifest: String) throws {
            let bytes = SyntheticELF.plugin(name, manifest: manifest).bytes
            try Data(bytes).write(to: URL(filePath: "\(folder)/lib\(name).so"))
        }

        func file(_ name: String, _ text: String) throws {
            documents.append(try YAMLDocument(file: name, text: text))
        }

        func compile() throws(DeploymentFaults) -> CompiledDeployment {
            try CompiledDeployment(try PluginsFolder(documents), libraries: folder)
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }
    }

    private func manifest(_ name: String, _ more: String = "") -> String {
        #"{"manifest": 1, "name": "\#(name)", "version": "1.0.0"\#(more)}"#
    }

    @Test func aSoundDeploymentIsATable() throws {
        let bench = try Bench()
        try bench.library("Plain", manifest("Plain"))
        try bench.file("00-host.yaml", "port: 0\n")
        try bench.file("10-plain.yaml", "plugin: Plain\n")
        try bench.file("20-off.yaml", "plugin: Plain\ninstance: off\nenabled: false\n")
        let deployment = try bench.compile()
        #expect(deployment.host.port == 0)
        #expect(deployment.table.instances.map(\.declaration.name) == ["plain"])
        #expect(deployment.instances.map(\.name) == ["plain", "off"])
        #expect(deployment.broken.isEmpty)
    }

    /// What an instance's file says of its sandbox, else what the host's does.
    @Test func aSandboxIsAsItsFileOrTheHostsSays() throws {
        let bench = try Bench()
        try bench.library("Plain", manifest("Plain"))
        try bench.file("00-host.yaml", "isolation: {require_sandbox: strict, memory_mib: 300, hang_seconds: 7}\n")
        try bench.file("10-own.yaml", "plugin: Plain\ninstance: own\nmode: isolated\n")
        try bench.file(
            "20-other.yaml",
            "plugin: Plain\ninstance: other\nmode: isolated\n"
                + "isolation: {require_sandbox: best, memory_mib: 20, threads: 9, stack: true}\n")
        let plan = DeploymentPlanner(
            deployment: try bench.compile(), services: [:], state: bench.folder, publicURL: "http://localhost",
            version: "1"
        ).plan()
        let sandboxes = Dictionary(uniqueKeysWithValues: plan.instances.map { ($0.name, $0.sandbox) })
        #expect(sandboxes["own"]?.isStrict == true && sandboxes["own"]?.memory == 300 << 20)
        #expect(sandboxes["own"]?.silence == 7000 && sandboxes["own"]?.writesStack == false)
        #expect(sandboxes["other"]?.isStrict == false && sandboxes["other"]?.memory == 20 << 20)
        #expect(sandboxes["other"]?.threads == 9 && sandboxes["other"]?.writesStack == true)
    }

    @Test func aDisabledInstanceMayBeOfAPluginThatIsNotThere() throws {
        let bench = try Bench()
        try bench.library("Plain", manifest("Plain"))
        try Data("no library".utf8).write(to: URL(filePath: "\(bench.folder)/libBroken.so"))
        try bench.file("10-plain.yaml", "plugin: Plain\nenabled: false\n")
        try bench.file("20-none.yaml", "plugin: Nothing\nenabled: false\n")
        try bench.file("30-broken.yaml", "plugin: Broken\nenabled: false\ncritical: true\n")
        let deployment = try bench.compile()
        #expect(deployment.table.instances.isEmpty)
        #expect(deployment.broken.isEmpty)
        #expect(deployment.files.keys.sorted() == ["Plain"])
    }

    @Test func everyFaultIsReportedAtOnce() throws {
        let bench = try Bench()
        try bench.library(
            "Plain", manifest("Plain", #", "configuration": {"type": "object", "additionalProperties": false}"#))
        try bench.file("00-host.yaml", "prot: 0\n")
        try bench.file("10-plain.yaml", "plugin: Plain\nconfig: {a: 1}\n")
        try bench.file("20-none.yaml", "plugin: Nothing\n")
        do {
            _ = try bench.compile()
            Issue.record("was compiled")
        } catch {
            #expect(error.faults.contains { $0.code == .declarationInvalid && $0.source.file == "00-host.yaml" })
        }
        bench.documents.removeFirst()
        do {
            _ = try bench.compile()
            Issue.record("was compiled")
        } catch {
            #expect(error.faults.map(\.code) == [.instanceConfig, .instanceUnknownPlugin])
            #expect(
                error.faults.map(\.source) == [
                    Source(file: "10-plain.yaml", line: 2), Source(file: "20-none.yaml", line: 1),
                ])
        }
    }

    @Test func aLibraryThatCannotBeReadClosesItsInstanceUnlessItIsCritical() throws {
        let bench = try Bench()
        try bench.library("Plain", manifest("Plain"))
        try Data("no library".utf8).write(to: URL(filePath: "\(bench.folder)/libBroken.so"))
        try bench.file("10-plain.yaml", "plugin: Plain\n")
        try bench.file("20-broken.yaml", "plugin: Broken\n")
        let deployment = try bench.compile()
        #expect(deployment.broken["broken"]?.code == "plugin.not_a_library")
        #expect(deployment.table.instances.map(\.declaration.name) == ["plain"])
        bench.documents.removeLast()
        try bench.file("20-broken.yaml", "plugin: Broken\ncritical: true\n")
        do {
            _ = try bench.compile()
            Issue.record("was compiled")
        } catch {
            #expect(error.description.contains("plugin.not_a_library"))
        }
    }

    @Test(arguments: ["access", "resource", "action", "scope", "audit", "rate", "body_limit", "idempotent", "request"])
    func aRouteThatLacksADeclarationStopsTheStart(_ missing: String) throws {
        let route = [
            "method": #""GET""#, "path": #""/a""#, "operation": #""theatre.http.v1.Handler/Handle""#,
            "access": #""user""#,
            "resource": #""a""#, "action": #""read""#, "scope": #""self""#, "audit": #""none""#, "rate": #""default""#,
            "body_limit": "0", "idempotent": "true", "body": #""raw""#, "request": #""theatre.http.v1.Request""#,
            "response": #""theatre.http.v1.Response""#,
        ]
        let members = route.filter { $0.key != missing }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
        let bench = try Bench()
        try bench.library(
            "Plain",
            manifest(
                "Plain",
                #", "provides": [{"capability": "theatre.http.v1.Handler"}], "#
                    + #""operations": ["theatre.http.v1.Handler/Handle"], "routes": [{\#(members)}]"#))
        try bench.file("10-plain.yaml", "plugin: Plain\n")
        do {
            _ = try bench.compile()
            Issue.record("the deployment was proved")
        } catch {
            #expect(error.description.contains("plugin.bad_manifest"), "\(error)")
            #expect(error.description.contains("/routes/0/\(missing)"), "\(error)")
        }
    }

    @Test func aFileThatDeclaresNothingIsAFault() throws {
        do {
            _ = try PluginsFolder([try YAMLDocument(file: "10-odd.yaml", text: "plgin: X\n")])
            Issue.record("was sorted")
        } catch {
            #expect("\(error)".contains("10-odd.yaml:1: declaration.invalid: The file declares neither"))
            #expect("\(error)".contains("is plgin meant to be plugin?"), "\(error)")
        }
    }
}
