// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import JSONSchema
internal import Registry
internal import Runtime
internal import TheatreManifest
internal import Transcoding

extension LibraryCheck {
    /// The manifest against the contracts that the library carries, by the compiler's own checks.
    static let manifest = LibraryCheck(
        "manifest", "operations, needs, calls and routes are those of the contracts it carries", quick: true, limit: 60,
        needsLife: false
    ) { run in
        let subject = run.subject
        for fault in faults(of: subject) where !deploymentsOwn.contains(fault.code) {
            run.fail(fault.code.rawValue, "\(fault.sentence) \(fault.fix)")
        }
        checkRoutes(&run)
        let schema = try JSONSchema(subject.manifest.configuration)
        if schema.validate(.object(["no_such_key": .bool(true)])).isEmpty {
            run.fail(
                "validator.schema_open",
                "The configuration's schema takes unknown keys, so a misspelt one is never found; set additionalProperties to false."
            )
        }
        for violation in schema.validate(subject.configuration) {
            run.fail("validator.configuration", "The configuration does not fit the schema: \(violation).")
        }
        run.note("operations", subject.manifest.operations)
        run.note("calls", subject.manifest.calls)
    }

    /// What only a deployment can have wrong.
    private static let deploymentsOwn: Set<FaultCode> = [
        .featureUnrouted, .grantMissing, .grantExcess, .routeUnmet, .routeAmbiguous, .capabilityDuplicate,
        .instanceConfig, .routeIncapable, .httpRouteUnguarded,
    ]

    private static func faults(of subject: Subject) -> [Fault] {
        let name = subject.manifest.name
        let plugin = InstalledPlugin(
            manifest: subject.manifest, contracts: ContractFacts(reading: subject.catalog),
            source: Source(file: "lib\(name).so"))
        var instance = InstanceDeclaration(name: "validated", plugin: name, map: SourceMap(file: "the validator"))
        instance.mode = subject.manifest.modes.first ?? "inproc"
        instance.config = subject.configuration
        return compile(plugins: [plugin], deployment: Deployment(development: true, instances: [instance])).faults
    }

    private static func checkRoutes(_ run: inout CheckRun) {
        let catalog = run.subject.catalog
        for route in run.subject.manifest.routes {
            guard let operation = catalog.operation(route.operation) else {
                run.fail(
                    "validator.route_message", "\(route.path) is bound to \(route.operation), which no contract has.")
                continue
            }
            if operation.input != route.request || operation.output != route.response {
                run.fail(
                    "validator.route_message",
                    "\(route.path) says \(route.request) and \(route.response); its operation has \(operation.input) and \(operation.output)."
                )
            }
            guard route.body == "json" else { continue }
            do throws(CatalogError) {
                _ = try catalog.transcoder(for: route.request)
                _ = try catalog.transcoder(for: route.response)
            } catch { run.fail("validator.route_message", "\(route.path) cannot be written as JSON: \(error).") }
        }
    }
}
