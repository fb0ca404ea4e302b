// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension Manifest {
    /// Reads a parsed `plugin.json`; every unknown key is a fault.
    public init(_ value: JSONValue) throws {
        var reader = try ObjectReader(value)
        format = try reader.integer("manifest") ?? 0
        guard format == 1 else {
            throw ManifestError(
                code: "manifest.format", pointer: "/manifest", message: "is \(format); this host reads format 1")
        }
        name = try reader.string("name")
        guard name.wholeMatch(of: #/[A-Z][A-Za-z0-9]*/#) != nil else {
            throw ManifestError(
                code: "manifest.name", pointer: "/name",
                message: "is \"\(name)\"; a name like PaymentWeChat is expected")
        }
        version = try reader.string("version")
        summary = try reader.optionalString("summary") ?? ""
        abi = try ABI(reader.value("abi") ?? .object([:]), at: "/abi")
        executor = try Executor(reader.value("executor") ?? .object([:]), at: "/executor")
        maxConcurrency = Int(try reader.integer("max_concurrency") ?? 64)
        guard (1...65536).contains(maxConcurrency) else {
            throw ManifestError(code: "manifest.range", pointer: "/max_concurrency", message: "must be 1 to 65536")
        }
        modes = try reader.strings("modes")
        if modes.isEmpty { modes = ["inproc", "isolated", "remote"] }
        provides = try reader.each("provides") { entry in
            Provision(capability: try entry.string("capability"), attributes: try entry.object("attributes"))
        }
        operations = try reader.strings("operations")
        needs = try reader.each("needs", Need.init(reading:))
        calls = try reader.strings("calls")
        grants = try GrantRequest(reader.value("grants") ?? .object([:]), at: "/grants")
        routes = try reader.each("routes", Route.init(reading:))
        consumes = try reader.each("consumes") { entry in
            Consumption(
                types: try entry.strings("types"),
                timeoutMilliseconds: try entry.bounded("timeout_ms", 1...3_600_000, default: 60_000),
                maxAttempts: try entry.bounded("max_attempts", 1...1000, default: 20))
        }
        queues = try reader.each("queues", Queue.init(reading:))
        configuration =
            reader.value("configuration") ?? .object(["type": .string("object"), "additionalProperties": .bool(false)])
        try reader.finish()
        try checkReferences()
    }

    /// Operations belong to a provided capability; calls to a need or a host service.
    private func checkReferences() throws {
        let capabilities = Set(provides.map(\.capability))
        for (index, operation) in operations.enumerated() where !capabilities.contains(Self.owner(of: operation)) {
            throw ManifestError(
                code: "manifest.reference", pointer: "/operations/\(index)",
                message: "is \"\(operation)\", whose capability is not in provides")
        }
        try checkQueues()
        let features = Set(needs.map(\.feature))
        for (index, call) in calls.enumerated() {
            let owner = Self.owner(of: call)
            guard !owner.hasPrefix("theatre.host.v1."), !features.contains(owner) else { continue }
            let hint = nearestMatch(to: owner, among: features).map { "; did you mean \"\($0)\"?" } ?? ""
            throw ManifestError(
                code: "manifest.reference", pointer: "/calls/\(index)",
                message: "is \"\(call)\", whose feature is not in needs\(hint)")
        }
        for (index, route) in routes.enumerated()
        where !operations.contains(route.operation) && !isHosts(route.operation) {
            throw ManifestError(
                code: "manifest.reference", pointer: "/routes/\(index)/operation",
                message: "is \"\(route.operation)\", which is not in operations")
        }
        for (index, route) in routes.enumerated()
        where route.scope.hasPrefix("row:") && !operations.contains(Self.resolver) {
            throw ManifestError(
                code: "manifest.reference", pointer: "/routes/\(index)/scope",
                message: "is \"\(route.scope)\", but operations lacks \(Self.resolver), which finds a row's project")
        }
    }

    /// An operation of the host's own that a route may be bound to, past the plugin: it asks to operate the host.
    private func isHosts(_ operation: String) -> Bool {
        grants.operate && operation.hasPrefix("theatre.host.v1.") && calls.contains(operation)
    }

    /// A queue's name is its own, and there is somebody to work it off; a worker has something to do.
    private func checkQueues() throws {
        var seen: Set<String> = []
        for (index, queue) in queues.enumerated() where !seen.insert(queue.name).inserted {
            throw ManifestError(
                code: "manifest.duplicate", pointer: "/queues/\(index)/name",
                message: "is \"\(queue.name)\", the name of another queue")
        }
        let worker = provides.firstIndex { $0.capability == Self.worker }
        if !queues.isEmpty, worker == nil {
            throw ManifestError(
                code: "manifest.reference", pointer: "/queues",
                message: "are named, but provides lacks \(Self.worker), which works them off")
        }
        if let worker, queues.isEmpty {
            throw ManifestError(
                code: "manifest.reference", pointer: "/provides/\(worker)/capability",
                message: "is \(Self.worker), but queues names none to work off")
        }
    }

    private static let worker = "theatre.jobs.v1.Worker"
    private static let resolver = "theatre.access.v1.Scopes/ResolveProject"

    /// What stands before the slash.
    public static func owner(of operation: String) -> String {
        String(operation.prefix { $0 != "/" })
    }
}

extension Manifest.ABI {
    init(_ value: JSONValue, at pointer: String) throws {
        var reader = try ObjectReader(value, at: pointer)
        major = try reader.integer("major") ?? 1
        minHostRevision = try reader.integer("min_host_revision") ?? 0
        try reader.finish()
    }
}

extension Manifest.Executor {
    init(_ value: JSONValue, at pointer: String) throws {
        var reader = try ObjectReader(value, at: pointer)
        kind = try reader.choice("kind", of: ["inline", "pool"], default: "pool")
        threads = Int(try reader.integer("threads") ?? 2)
        guard (1...64).contains(threads) else {
            throw ManifestError(code: "manifest.range", pointer: "\(pointer)/threads", message: "must be 1 to 64")
        }
        try reader.finish()
    }
}

extension Manifest.Need {
    init(reading reader: inout ObjectReader) throws {
        feature = try reader.string("feature")
        capability = try reader.string("capability")
        requires = try reader.object("requires")
        fallback = try reader.choice("fallback", of: ["allowed", "forbidden"], default: "forbidden")
        whenUnrouted = try reader.choice("when_unrouted", of: ["refuse", "degrade"], default: "refuse")
    }
}

extension Manifest.GrantRequest {
    init(_ value: JSONValue, at pointer: String) throws {
        var reader = try ObjectReader(value, at: pointer)
        egress = try reader.strings("egress")
        connect = try reader.strings("connect")
        files = try reader.choice("files", of: ["none", "read", "write"], default: "none")
        secrets = try reader.each("secrets") { entry in
            Secret(
                name: try entry.string("name"),
                use: try entry.choice("use", of: ["egress", "lease"], default: "egress"),
                places: try entry.strings("places"), optional: try entry.bool("optional", default: false))
        }
        keys = try reader.each("keys") { entry in
            try Key(reading: &entry)
        }
        publishes = try reader.strings("publishes")
        stateFolder = try reader.bool("state_folder", default: false)
        operate = try reader.bool("operate", default: false)
        personal = try reader.bool("personal", default: false)
        try reader.finish()
    }
}

extension Manifest.GrantRequest.Key {
    init(reading reader: inout ObjectReader) throws {
        name = try reader.string("name")
        let signing = ["EdDSA", "ES256", "RS256"]
        algorithm = try reader.choice("algorithm", of: signing + ["HS256"])
        also = try reader.strings("also")
        optional = try reader.bool("optional", default: false)
        lifetimeSeconds = try reader.integer("lifetime_seconds")
        // A key that signs makes no MACs: only signatures have more than one algorithm.
        guard also.allSatisfy({ algorithm != "HS256" && signing.contains($0) && $0 != algorithm }) else {
            throw ManifestError(
                code: "manifest.choice", pointer: reader.pointer(to: "also"),
                message: "names no other algorithm that signs; of EdDSA, ES256 and RS256 those beside \(algorithm) are "
                    + "expected")
        }
        guard (lifetimeSeconds ?? 0) >= 0, (lifetimeSeconds ?? 0) < 1 << 32 else {
            throw ManifestError(
                code: "manifest.range", pointer: reader.pointer(to: "lifetime_seconds"),
                message: "must be 0 to 4294967295")
        }
    }
}

extension Manifest.Route {
    /// What serves requests that are not one JSON message. Connect is reserved.
    private static let rawOperations = [
        "theatre.http.v1.Handler/Handle", "theatre.http.v1.Handler/HandleStream",
    ]

    /// Every access, audit and limit is stated: a route that lacks one is a fault, not a default.
    init(reading reader: inout ObjectReader) throws {
        method = try reader.choice("method", of: ["GET", "POST", "PUT", "PATCH", "DELETE"])
        path = try reader.string("path")
        operation = try reader.string("operation")
        access = try reader.choice("access", of: ["anyone", "user", "service", "admin"])
        resource = try reader.string("resource")
        action = try reader.string("action")
        scope = try reader.string("scope")
        role = try Self.role(reading: &reader, path: path, scope: scope, access: access)
        audit = try reader.choice("audit", of: ["change", "read", "none"])
        rate = try reader.string("rate")
        let isStreamed = operation == Self.streamed
        let most = isStreamed ? 1 << 40 : 16 << 20
        guard let limit = try reader.integer("body_limit"), (0...Int64(most)).contains(Int64(limit)) else {
            throw ManifestError(
                code: "manifest.missing", pointer: reader.pointer(to: "body_limit"),
                message: "must be stated, 0 to \(most) bytes")
        }
        bodyLimit = Int(limit)
        guard let idempotent = reader.value("idempotent")?.bool else {
            throw ManifestError(
                code: "manifest.missing", pointer: reader.pointer(to: "idempotent"),
                message: "must be stated, true or false")
        }
        guard idempotent || !isStreamed else {
            throw ManifestError(
                code: "manifest.range", pointer: reader.pointer(to: "idempotent"),
                message: "must be true: what is streamed is not kept to be compared or answered again")
        }
        self.idempotent = idempotent
        body = try reader.choice("body", of: ["json", "raw"], default: "json")
        guard body == "json" || Self.rawOperations.contains(operation) else {
            throw ManifestError(
                code: "manifest.raw_operation", pointer: reader.pointer(to: "operation"),
                message: "is \"\(operation)\"; a raw route calls \(Self.rawOperations.joined(separator: " or "))")
        }
        request = try reader.string("request")
        response = try reader.string("response")
        status = Int(try reader.integer("status") ?? 200)
        headers = try reader.strings("headers")
        let timeout = try reader.integer("timeout_ms") ?? 0
        guard (0...600_000).contains(timeout) else {
            throw ManifestError(
                code: "manifest.range", pointer: reader.pointer(to: "timeout_ms"), message: "must be 0 to 600000")
        }
        timeoutMilliseconds = Int(timeout)
        summary = try reader.optionalString("summary") ?? ""
    }
}

extension Manifest.Route {
    /// The role that a project's scope needs; a scope of no project has none.
    private static func role(
        reading reader: inout ObjectReader, path: String, scope: String, access: String
    ) throws -> String {
        if ["none", "self", "tenant"].contains(scope) {
            guard reader.value("role") == nil else {
                throw ManifestError(
                    code: "manifest.role", pointer: reader.pointer(to: "role"),
                    message: "is a role in a project, which the scope \"\(scope)\" does not lead to; leave it out")
            }
            return ""
        }
        guard let match = scope.wholeMatch(of: #/(?:project|row):\{([a-z][a-z0-9_]*)\}/#),
            path.contains("{\(match.output.1)}")
        else {
            throw ManifestError(
                code: "manifest.scope", pointer: reader.pointer(to: "scope"),
                message: "is \"\(scope)\"; none, self, tenant, or project:{name} or row:{name} of a parameter in the "
                    + "path is expected")
        }
        guard access == "user" || access == "service" else {
            throw ManifestError(
                code: "manifest.scope", pointer: reader.pointer(to: "access"),
                message: "is \"\(access)\"; who belongs to a project is a user or a service")
        }
        return try reader.choice("role", of: ["viewer", "editor", "admin", "owner"])
    }
}

extension Manifest.Queue {
    init(reading reader: inout ObjectReader) throws {
        name = try reader.string("name")
        guard name.wholeMatch(of: #/[a-z][a-z0-9_\-]{0,39}/#) != nil else {
            throw ManifestError(
                code: "manifest.name", pointer: reader.pointer(to: "name"),
                message: "is \"\(name)\"; up to 40 lower-case letters, digits, - and _ are expected, a letter first")
        }
        concurrency = try reader.bounded("concurrency", 1...1000, default: 4)
        globalConcurrency = try reader.bounded("global_concurrency", 0...100_000, default: 0)
        maxAttempts = try reader.bounded("max_attempts", 1...1000, default: 5)
        timeoutMilliseconds = try reader.bounded("timeout_ms", 100...86_400_000, default: 60_000)
        leaseMilliseconds = try reader.bounded("lease_ms", 1000...600_000, default: 30_000)
        backoffMilliseconds = try reader.bounded("backoff_ms", 1...86_400_000, default: 1000)
        backoffMaxMilliseconds = try reader.bounded(
            "backoff_max_ms", backoffMilliseconds...86_400_000, default: max(600_000, backoffMilliseconds))
    }
}
