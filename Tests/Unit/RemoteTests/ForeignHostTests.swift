// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Runtime
import Staging
import Testing
import TheatreManifest

/// A library served to a host in Python, `Tests/Foreign/caller.py`, which knows it by its contracts alone.
@Suite struct ForeignHostTests {
    @Test func aHostInAnotherLanguageMakesAnInstanceAndCallsIt() throws {
        try Stage.withFolder { folder in
            let server = try PluginProcess.serve("Parrot", ["--listen", "unix:\(folder)/parrot", "--plaintext"])
            defer { server.end() }
            let file = try PluginFile(name: "Parrot", path: "\(Stage.folder)/libParrot.so")
            let digest = file.manifestDigest.map { byte in
                let text = String(byte, radix: 16)
                return text.count == 1 ? "0\(text)" : text
            }
            let host = try ForeignServer.program(
                "caller.py", [server.address, file.manifest.version, digest.joined()])
            #expect(
                host.address.split(separator: "\n") == [
                    "step 1 OK", "step 2 OK", "step 3 OK", "plain OK ::key:1", "unbounded OK ::key:1",
                    "refused INVALID_ARGUMENT notification.rejected", "headless INVALID_ARGUMENT remote.no_header",
                    "step 4 OK", "step 5 OK", "gone UNAVAILABLE remote.unknown_session",
                ], "\(host.address)")
        }
    }
}
