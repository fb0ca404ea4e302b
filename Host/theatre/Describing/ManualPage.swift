// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A page of section 1, for `man`.
struct ManualPage {
    /// Such as `theatre-plugins`.
    let name: String
    let text: String

    /// A page for the command itself, and one for each of its commands with those below it.
    static func family(of command: CommandHelp) -> [ManualPage] {
        let pages = command.subcommands.map { $0.words.joined(separator: "-") }
        return [ManualPage(top: command, others: pages)]
            + command.subcommands.map { ManualPage(of: $0, top: command.words.joined(separator: "-")) }
    }

    private init(top command: CommandHelp, others: [String]) {
        name = command.words.joined(separator: "-")
        var page = Self.heading(name, command)
        page += [".SH COMMANDS"]
        for sub in command.subcommands {
            page += [".TP", ".BR \(Self.escaped(sub.words.joined(separator: "-"))) (1)", Self.escaped(sub.abstract)]
        }
        page += Self.environment + Self.status
        page += [".SH SEE ALSO"] + others.map { ".BR \(Self.escaped($0)) (1)," }
        page += [".BR theatre\\-plugins.d (5),", ".BR theatre_plugin.h (3)"]
        text = page.joined(separator: "\n") + "\n"
    }

    private init(of command: CommandHelp, top: String) {
        name = command.words.joined(separator: "-")
        var page = Self.heading(name, command)
        page += Self.options(command.arguments, ".SH OPTIONS")
        if !command.subcommands.isEmpty { page += [".SH COMMANDS"] + command.subcommands.flatMap(Self.section) }
        page += Self.environment + Self.status
        page += [".SH SEE ALSO", ".BR \(top) (1),", ".BR theatre\\-plugins.d (5)"]
        text = page.joined(separator: "\n") + "\n"
    }

    private static func heading(_ name: String, _ command: CommandHelp) -> [String] {
        [
            ".\\\" Made by theatre describe-itself from the command's own help.",
            ".TH \(escaped(name.uppercased())) 1 \"\" \"TheatreOS \(HostVersion.current)\" \"TheatreOS\"",
            ".SH NAME", "\(escaped(name)) \\- \(escaped(sentence(command.abstract)))",
            ".SH SYNOPSIS", ".nh", ".B \(escaped(command.synopsis))", ".hy",
            ".SH DESCRIPTION", escaped(command.abstract),
        ] + paragraph(command.discussion)
    }

    private static func section(_ command: CommandHelp) -> [String] {
        [
            ".SS \(escaped(command.words.joined(separator: " ")))", ".nh", ".B \(escaped(command.synopsis))", ".hy",
            ".PP",
        ]
            + [escaped(command.abstract)] + paragraph(command.discussion) + options(command.arguments, ".PP")
            + command.subcommands.flatMap(section)
    }

    private static func options(_ arguments: [CommandHelp.Argument], _ heading: String) -> [String] {
        guard !arguments.isEmpty else { return [] }
        return [heading]
            + arguments.flatMap { argument -> [String] in
                let value = argument.defaultValue.map { " (default: \($0))" } ?? ""
                return [".TP", ".B \(escaped(argument.usage))", escaped(argument.abstract + value)]
            }
    }

    private static func paragraph(_ text: String) -> [String] {
        guard !text.isEmpty else { return [] }
        // What is indented is shown as it is.
        return [".PP"]
            + text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line -> [String] in
                line.hasPrefix("  ") ? [".br", escaped(String(line)), ".br"] : [escaped(String(line))]
            }
    }

    private static let environment =
        [".SH ENVIRONMENT"]
        + [
            ("THEATRE_PLUGINS", "Folders of libraries, with colons between them; an empty one is the host's own."),
            ("THEATRE_PLUGINS_D", "Folder that declares the deployment."),
            ("THEATRE_RUNNER", "The program that isolated instances run in."),
            ("THEATRE_HOME", "Folder that holds PluginAPI: contracts, SDK, templates."),
        ].flatMap { [".TP", ".B \($0)", $1] }

    private static let status = [
        ".SH EXIT STATUS", "0 where all is as asked, 1 where something is wrong, 64 where the command line is.",
    ]

    /// Without the full stop, as a page's name line has it.
    private static func sentence(_ text: String) -> String { text.hasSuffix(".") ? String(text.dropLast()) : text }

    /// As troff takes it literally.
    private static func escaped(_ text: String) -> String {
        let safe = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
        return safe.hasPrefix(".") || safe.hasPrefix("'") ? "\\&" + safe : safe
    }
}
