// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Control
import Runtime
import TheatreManifest

/// Where the host is that the commands of `theatre plugins` speak to.
struct PluginsOptions: ParsableArguments {
    @OptionGroup var deployment: DeploymentOptions

    @Option(help: "State folder of the host. By default what 00-host.yaml says.")
    var state: String?

    @Flag(help: "Print JSON.")
    var json = false

    /// What the host answers; nil where none runs.
    ///
    /// - Parameter tolerating: reason of a refusal that is thrown as it is.
    /// - Throws: status 1, with the refusal printed.
    func ask(
        _ command: String, _ arguments: [String: JSONValue] = [:], tolerating: String? = nil
    ) throws -> JSONValue? {
        let request = JSONValue.object(arguments.merging(["command": .string("plugins.\(command)")]) { $1 })
        do {
            return try ControlClient(path: socket).ask(request).map(ControlAnswer.result(of:))
        } catch let refusal as ControlRefusal where refusal.reason == tolerating {
            throw refusal
        } catch let refusal as ControlRefusal {
            throw Plugins.failure(refusal)
        } catch let failure as ControlFailure {
            printError("\(failure)")
            throw ExitCode(1)
        }
    }

    /// What the host answers; where none runs, that is said.
    func demand(_ command: String, _ arguments: [String: JSONValue]) throws -> JSONValue {
        guard let answer = try ask(command, arguments) else {
            printError(
                "no host runs on this state folder: nothing listens at \(socket); start it with `theatre serve`, or name its folder with --state"
            )
            throw ExitCode(1)
        }
        return answer
    }

    /// Without a deployment to read it is where a host would be that was started here.
    private var socket: String {
        if let state { return PluginOperations.socket(state: state) }
        do {
            let folder = try PluginsFolder(path: deployment.pluginsD)
            return PluginOperations.socket(state: try HostConfiguration(folder.host).state)
        } catch {
            return PluginOperations.socket(state: ".theatre")
        }
    }
}

extension Plugins {
    /// Prints a refusal; what to throw then.
    static func failure(_ refusal: ControlRefusal) -> ExitCode {
        printError("\(refusal)")
        return ExitCode(1)
    }

    /// An instance in a table.
    static func row(_ instance: JSONValue) -> [String] {
        func text(_ key: String) -> String { instance[key]?.string ?? "" }
        let running = text("running_digest"), configured = text("configured_digest")
        let differs = !running.isEmpty && !configured.isEmpty && running != configured
        return [
            text("instance"), text("plugin"), text("version"), text("mode"), "\(instance["generation"]?.integer ?? 0)",
            running.isEmpty ? "-" : String(running.prefix(12)) + (differs ? "*" : ""),
            text("state") + (text("reason").isEmpty ? "" : ": \(text("reason"))"),
        ]
    }

    /// One instance for people, or as JSON.
    static func show(_ instance: JSONValue, json: Bool) throws {
        if json { return try Printing.json(instance) }
        var own = instance.object ?? [:]
        let facts = own.removeValue(forKey: "facts")?.object ?? [:]
        print((lines(own) + lines(facts)).joined(separator: "\n"))
    }

    /// A line for each key, in the order of the alphabet.
    private static func lines(_ values: [String: JSONValue]) -> [String] {
        values.sorted { $0.key < $1.key }.map { key, value -> String in
            let text: String
            switch value {
            case .string(let string): text = key.hasSuffix("_at") ? Int64(string).map(Printing.time) ?? string : string
            case .array(let values): text = values.compactMap(\.string).joined(separator: " ")
            case .bool(let flag): text = flag ? "yes" : "no"
            case .null: text = "-"
            default: text = value.integer.map { "\($0)" } ?? ""
            }
            let name = key.replacing("_", with: " ")
            return name + String(repeating: " ", count: max(1, 22 - name.count)) + text
        }
    }
}
