// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Registry
import TheatreManifest

/// Choosing among routes, with few and with many of them.
enum Routes {
    private static let count = 1_000_000

    static func run(_ table: inout Table) throws {
        var compiling = Samples()
        var few = Samples()
        var many = Samples()
        let small = try compiled(try deployment(10))
        let declared = try deployment(10_000)
        var large = try compiled(declared)
        for round in 0..<12 {
            if round % 3 == 2 { compiling.add(try nanoseconds(1) { large = try compiled(declared) } / 1e6) }
            let a = try resolutions(small)
            let b = try resolutions(large)
            guard round > 1 else { continue }
            few.add(a)
            many.add(b)
        }
        table.add(
            Row("route resolution, 10,000 features (bare: 10)", unit: "ns", bare: few, many, target: "<= 1.1x") {
                $0 <= 1.1
            })
        table.add(Row("route resolution, 10,000 features", unit: "ns", many, target: "< 300") { $0 < 300 })
        table.add(Row("compiling 10,000 routes", unit: "ms", compiling, target: "< 1000") { $0 < 1000 })
    }

    /// A deployment with so many features, each routed by locale and amount.
    private static func deployment(_ features: Int) throws -> ([InstalledPlugin], Deployment) {
        let contracts = ContractFacts([.init(name: "echo", operations: [.init("Handle")])])
        let needs = (0..<features).map { #"{"feature": "f\#($0)", "capability": "echo"}"# }.joined(separator: ",")
        func plugin(_ name: String, _ rest: String) throws -> InstalledPlugin {
            let json = #"{"manifest": 1, "name": "\#(name)", "version": "1.0.0", \#(rest)}"#
            return InstalledPlugin(
                manifest: try Manifest(json: Data(json.utf8)), contracts: contracts, source: Source(file: name))
        }
        let provider = #""provides": [{"capability": "echo"}], "operations": ["echo/Handle"]"#
        let plugins = [try plugin("A", provider), try plugin("B", provider), try plugin("C", #""needs": [\#(needs)]"#)]
        let source = Source(file: "routes")
        let routes = (0..<features).map { index in
            RouteDeclaration(
                feature: "f\(index)",
                candidates: [
                    .init("a", when: RouteConditions().and(.locale, ["zh"]).and(amount: 0...1000), source: source),
                    .init("b", source: source),
                ], source: source)
        }
        let instances = ["A", "B", "C"].map {
            InstanceDeclaration(name: $0.lowercased(), plugin: $0, map: SourceMap(file: $0))
        }
        return (plugins, Deployment(instances: instances, routes: routes))
    }

    private static func compiled(_ declared: ([InstalledPlugin], Deployment)) throws -> RoutingTable {
        let compilation = compile(plugins: declared.0, deployment: declared.1)
        guard let table = compilation.table else { throw BenchmarkFailure("\(compilation.faults)") }
        return table
    }

    private static func resolutions(_ table: RoutingTable) throws -> Double {
        let names = table.featureNames
        let ids = (0..<64).compactMap { table.feature(names[$0 * names.count / 64 % names.count]) }
        var attributes = RouteAttributes()
        attributes.tenant = "default"
        attributes.locale = "zh"
        attributes.amount = 500
        attributes.key = "usr_01J8ZQ4WQ6M3"
        var found = 0
        let time = nanoseconds(count) {
            for index in 0..<count where table.resolve(ids[index & 63], attributes).binding != nil { found += 1 }
        }
        guard found == count else { throw BenchmarkFailure("\(found) of \(count) calls were routed") }
        return time
    }
}
