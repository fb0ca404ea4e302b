// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The command.
@main
struct Theatre: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "theatre",
        abstract: "A product server made of plugins.",
        version: HostVersion.current,
        subcommands: [
            Serve.self, Check.self, Explain.self, Plugins.self, Storage.self, Secrets.self, Keys.self, Jobs.self,
            Events.self,
            Audit.self, Authz.self, Costs.self,
            TourCommand.self,
            ProbeLibrary.self, DescribeItself.self,
            PluginCommand.self,
        ],
        defaultSubcommand: Serve.self)
}

/// Version of the host.
enum HostVersion {
    /// Semantic version.
    static let current = "0.1.0"
}
