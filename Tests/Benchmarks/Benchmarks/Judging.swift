// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import SwiftProtobuf
import TheatreContracts

/// A chapter judged by a culture pack, as every prompt and every draft is.
enum Judging {
    private static let size = 7_000
    private static let contract = "theatre.culture.v1.Pack"

    static func run(_ world: World, _ table: inout Table) async throws {
        for (instance, script) in [("bianjing", "Chinese"), ("baghdad", "Arabic")] {
            let text = try await chapter(world, instance)
            let target = try world.dispatcher.target(instance: instance, operation: "\(contract)/Validate")
            var samples = Samples()
            for round in 0..<60 {
                let request = CultureValidateRequest.with {
                    $0.text = text
                    $0.kind = .prompt
                }
                var found = 0
                let time = try await nanoseconds(1) {
                    let response: CultureValidateResponse = try await world.dispatcher.call(target, request: request)
                    found = response.findings.count
                }
                guard found > 20 else { throw BenchmarkFailure("\(instance) found \(found) faults in its chapter") }
                if round > 4 { samples.add(time / 1e6) }
            }
            table.add(
                Row("judging 7,000 characters, \(script), \(instance)", unit: "ms", samples, target: "< 10 ms") {
                    $0 < 10
                })
        }
    }

    /// The pack's own places, and among them what it forbids: much is found everywhere.
    private static func chapter(_ world: World, _ instance: String) async throws -> String {
        let describe = try world.dispatcher.target(instance: instance, operation: "\(contract)/Describe")
        let pack: CultureDescription = try await world.dispatcher.call(describe, request: CultureDescribeRequest())
        var text = String.UnicodeScalarView()
        while text.count < size {
            for (index, stage) in pack.stages.enumerated() {
                let words = [stage.name, stage.description_p] + stage.details
                let fault = pack.taboos[index % pack.taboos.count].patterns[0]
                text.append(contentsOf: "\(words.joined(separator: " ")) \(fault). ".unicodeScalars)
            }
        }
        return String(String.UnicodeScalarView(text.prefix(size)))
    }
}
