// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

/// What a command says of itself.
struct CommandHelp {
    /// With the commands above it, such as `theatre plugins show`.
    let words: [String]
    let abstract: String
    let discussion: String
    let arguments: [Argument]
    /// Those that are shown.
    let subcommands: [CommandHelp]

    /// An option, a flag or a positional argument.
    struct Argument {
        /// As it is typed, such as `--limit <limit>`.
        let usage: String
        let isOptional: Bool
        let isRepeating: Bool
        let isPositional: Bool
        let abstract: String
        let defaultValue: String?
    }

    /// Reads a command of the argument parser's own description; nil where it is none, or hidden.
    init?(_ value: JSONValue, below: [String] = []) {
        guard let name = value["commandName"]?.string, value["shouldDisplay"]?.bool != false, name != "help" else {
            return nil
        }
        words = below + [name]
        abstract = value["abstract"]?.string ?? ""
        discussion = value["discussion"]?.string ?? ""
        arguments = (value["arguments"]?.array ?? []).compactMap(Argument.init)
        let words = words
        subcommands = (value["subcommands"]?.array ?? []).compactMap { CommandHelp($0, below: words) }
    }

    /// One line that shows how it is called.
    var synopsis: String {
        let parts = arguments.map { argument -> String in
            let text = argument.usage + (argument.isRepeating ? " ..." : "")
            return argument.isOptional ? "[\(text)]" : text
        }
        let rest = subcommands.isEmpty ? [] : ["<command>"]
        return (words + parts + rest).joined(separator: " ")
    }
}

extension CommandHelp.Argument {
    fileprivate init?(_ value: JSONValue) {
        guard value["shouldDisplay"]?.bool != false else { return nil }
        let names = (value["names"]?.array ?? []).compactMap { name -> String? in
            name["name"]?.string.map { (name["kind"]?.string == "long" ? "--" : "-") + $0 }
        }
        let placeholder = value["valueName"]?.string.map { "<\($0)>" } ?? "<value>"
        isPositional = value["kind"]?.string == "positional"
        switch value["kind"]?.string {
        case "flag": usage = names.joined(separator: ", ")
        case "option": usage = "\(names.joined(separator: ", ")) \(placeholder)"
        default: usage = placeholder
        }
        isOptional = value["isOptional"]?.bool ?? false
        isRepeating = value["isRepeating"]?.bool ?? false
        abstract = value["abstract"]?.string ?? ""
        defaultValue = value["defaultValue"]?.string
    }
}
