// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import Toolchains

struct ToolchainTests {
    /// A test of a language whose compiler is missing fails, and says what installs it.
    @Test(
        arguments: [
            (.c, "apt-get install build-essential"), (.rust, "apt-get install cargo rustc"),
            (.go, "Tests/Checks/install-languages"), (.zig, "Tests/Checks/install-languages"),
        ] as [(Toolchain, String)])
    func aMissingCompilerIsNamedWithWhatInstallsIt(_ language: Toolchain, _ command: String) {
        let error = #expect(throws: ShellError.self) {
            try language.require(path: "/nowhere:/neither", root: "/nowhere")
        }
        #expect(error?.description.contains("plugins in \(language.rawValue); run `\(command)`") == true)
    }

    @Test(arguments: Toolchain.allCases) func allOfThemAreHere(_ language: Toolchain) throws { try language.require() }
}
