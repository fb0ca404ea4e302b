// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `theatre plugin`.
struct PluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin", abstract: "Work on a plugin of one's own.",
        subcommands: [
            NewPluginCommand.self, ValidateCommand.self, CodecCommand.self, ServePlugin.self, CheckOneCommand.self,
        ])
}
