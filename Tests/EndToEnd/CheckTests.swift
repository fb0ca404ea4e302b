// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreManifest

/// `theatre check` over one deployment for each fault: `Tests/Fixtures/Deployments/CODE`, or `CODE-CAUSE`, with what is
/// printed of it.
@Suite struct CheckTests {
    static let folder = "\(Sources.root)/Tests/Fixtures/Deployments"
    static let codes = (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []

    /// With what probes found last, where the deployment has such a file.
    private static func arguments(_ code: String) -> [String] {
        let probes = "\(folder)/\(code)/probes.json"
        return ServerProcess.options("\(folder)/\(code)", nil)
            + (FileManager.default.fileExists(atPath: probes) ? ["--probes", probes] : [])
    }

    @Test(arguments: codes) func theFaultIsPrintedWithPlaceAndFix(_ code: String) async throws {
        let deployment = "\(Self.folder)/\(code)"
        let result = try await theatre(["check"] + Self.arguments(code))
        #expect(result.status == 1)
        let found = result.output.split(separator: "\n").filter { $0.hasPrefix(deployment) }
            .map { $0.dropFirst(deployment.count + 1) }
        #expect(found == (try Self.expected(code)), "\(result.output)")
        let count = found.count
        #expect(result.output.hasSuffix("\(count) fault\(count == 1 ? "" : "s")\n"))
    }

    @Test(arguments: codes) func theFaultIsTheSameForMachines(_ code: String) async throws {
        let result = try await theatre(["check", "--json"] + Self.arguments(code))
        #expect(result.status == 1)
        let report = try JSONValue(json: Data(result.output.utf8))
        #expect(report["ok"]?.bool == false)
        let faults = report["faults"]?.array ?? []
        let lines = faults.map { fault in
            let line = fault["line"]?.integer ?? 0
            let place = (fault["file"]?.string ?? "") + (line > 0 ? ":\(line)" : "")
            let words = ["code", "sentence", "fix"].compactMap { fault[$0]?.string }
            return "\(place): \(words[0]): \(words.dropFirst().joined(separator: " "))"
        }
        let expected = try Self.expected(code).map(String.init)
        #expect(lines == expected)
        #expect(faults.allSatisfy { $0["code"]?.string.map { code == $0 || code.hasPrefix("\($0)-") } == true })
    }

    @Test func theDefaultDeploymentHasNoFault() async throws {
        let result = try await theatre(["check"] + ServerProcess.options(Sources.defaultDeployment, nil))
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.contains("every need is met, nothing is wrong"))
    }

    @Test func everyCodeOfTheDesignHasADeployment() {
        let design = [
            "route.unknown_feature", "route.unknown_profile", "profile.unknown_instance", "route.incapable",
            "route.unmet", "route.unproved", "feature.unrouted", "route.uncovered", "route.shadowed",
            "route.ambiguous", "route.cycle", "route.too_complex", "contract.incomplete", "grant.missing",
            "grant.excess",
            "mode.forbidden", "instance.config",
        ]
        #expect(Set(design).subtracting(Self.codes).isEmpty)
    }

    private static func expected(_ code: String) throws -> [Substring] {
        try String(contentsOf: URL(filePath: "\(folder)/\(code)/expected.txt"), encoding: .utf8)
            .split(separator: "\n")
    }
}
