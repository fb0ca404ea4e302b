// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import CTheatrePlugin
internal import FoundationEssentials
internal import Synchronization
internal import TheatreContracts
internal import TheatreManifest

/// What a plugin's C entry calls.
public enum PluginEntry {
    /// The bytes of the last failure, valid until the library's next `create`.
    private static let lastError = Mutex<ErrorBytes?>(nil)

    /// Makes an instance of `type` behind a C table: the body of `theatre_create_NAME`.
    ///
    /// - Returns: `THEATRE_OK`, or the code of `error`, which then names the manifest entry or configuration key at
    ///   fault.
    public static func create<P: Plugin>(
        _ type: P.Type, _ host: UnsafePointer<theatre_host>?, _ create: UnsafePointer<theatre_create>?,
        _ instance: UnsafeMutablePointer<UnsafeMutablePointer<theatre_instance>?>?,
        _ error: UnsafeMutablePointer<theatre_error>?
    ) -> Int32 {
        instance?.pointee = nil
        do {
            guard let host, let create, let instance else {
                throw PluginError(.invalidArgument, "plugin.null_pointer", "create was called with a null pointer.")
            }
            instance.pointee = InstanceTable.allocate(try make(type, host, theatre_create(reading: create)))
            return THEATRE_OK
        } catch let failure {
            let failure = PluginError(any: failure)
            let bytes = ErrorBytes(failure)
            if let error { bytes.fill(error) }
            lastError.withLock { $0 = bytes }
            return failure.code.rawValue
        }
    }

    private static func make<P: Plugin>(
        _ type: P.Type, _ host: UnsafePointer<theatre_host>, _ create: theatre_create
    ) throws -> PluginInstance {
        guard let table = HostTable(host) else {
            throw PluginError(.invalidArgument, "plugin.host_table", "The host's table lacks a function.")
        }
        let manifest = try readManifest(create.manifest)
        let name = create.instance.text
        let environment = try readEnvironment(create.environment)
        let connection = HostConnection(
            table, instance: name, generation: create.generation, environment: environment,
            names: CallNames(manifest.calls))
        let operations = try Dictionary(type.operations.map { ($0.name, $0) }) { first, _ in
            throw PluginError(.internal, "plugin.duplicate_handler", "Operation \(first.name) has two handlers.")
        }
        for operation in manifest.operations where operations[operation] == nil { throw missing(operation, operations) }
        let configuration = try ConfigurationDecoding.decode(P.Configuration.self, create.configuration.buffer)
        let plugin = try P(PluginHost(connection: connection), configuration)
        return PluginInstance(
            connection, executor: PluginExecutor(name: name, limit: manifest.executor.threads),
            runsInline: manifest.executor.kind == "inline",
            handlers: manifest.operations.compactMap { operations[$0]?.bind(plugin) },
            lifecycle: .init(
                activate: plugin.activate, selfTest: plugin.selfTest, deactivate: plugin.deactivate))
    }

    private static func readManifest(_ bytes: theatre_bytes) throws -> Manifest {
        do {
            return try Manifest(json: Data(bytes.buffer))
        } catch let error as ManifestError {
            throw PluginError(
                .invalidArgument, "plugin.bad_manifest", "The manifest was refused: \(error).", detail: error.pointer)
        }
    }

    private static func readEnvironment(_ bytes: theatre_bytes) throws -> HostEnvironment {
        do {
            return try HostEnvironment(borrowing: bytes.buffer)
        } catch {
            throw PluginError(
                .invalidArgument, "plugin.bad_environment", "The environment is not a theatre.host.v1.Environment.")
        }
    }

    private static func missing<P>(_ operation: String, _ known: [String: Operation<P>]) -> PluginError {
        let hint = nearestMatch(to: operation, among: known.keys).map { "; the nearest it has is \($0)" } ?? ""
        return PluginError(
            .unimplemented, "plugin.missing_handler",
            "The manifest lists \(operation), for which the plugin has no handler\(hint).")
    }
}
