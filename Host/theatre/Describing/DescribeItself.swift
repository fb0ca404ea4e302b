// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import TheatreManifest

/// `theatre describe-itself`: manual pages and shell completions, made from the commands' own help, as `make install` puts
/// them into `share`.
struct DescribeItself: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe-itself", abstract: "Write manual pages and completions.", shouldDisplay: false)

    @Argument(help: "Folder that gets man, bash-completion, zsh and fish.")
    var folder: String

    func run() throws {
        let help = try JSONValue(json: Data(Theatre._dumpHelp().utf8))
        guard let command = CommandHelp(help["command"] ?? .null) else {
            throw ValidationError("the help cannot be read")
        }
        for page in ManualPage.family(of: command) { try write("man/man1/\(page.name).1", page.text) }
        try write("bash-completion/completions/theatre", Theatre.completionScript(for: .bash))
        try write("zsh/site-functions/_theatre", Theatre.completionScript(for: .zsh))
        try write("fish/vendor_completions.d/theatre.fish", Theatre.completionScript(for: .fish))
    }

    private func write(_ name: String, _ text: String) throws {
        let file = URL(filePath: "\(folder)/\(name)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data((text.hasSuffix("\n") ? text : text + "\n").utf8).write(to: file)
    }
}
