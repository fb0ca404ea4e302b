// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Testing
import TheatreManifest

/// What `make install` puts into a prefix works from there, wherever it was built.
@Suite(.serialized) struct InstallationTests {
    private let shop: TemporaryFolder

    init() throws { shop = try TemporaryFolder() }

    /// Runs a script with the installed commands in its path, in a folder of its own. Where this user may, the folder of
    /// the sources and the build is out of its reach.
    private func run(_ script: String, seconds: Int = 120, environment: [String: String] = [:]) async throws -> String {
        let prefix = try await Installed.shared.prefix()
        let path = "\(prefix)/bin:\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"
        try shop.write("script", "cd '\(shop.root)'\n\(script)")
        let hidden = """
            if unshare -m true 2> /dev/null; then
                exec unshare -m bash -euo pipefail -c 'mount -t tmpfs none "$0" && exec bash -euo pipefail "$1"' \
                    '\(Sources.root)' '\(shop.path("script"))'
            fi
            exec bash -euo pipefail '\(shop.path("script"))'
            """
        return try await shell(
            hidden, in: shop.root, seconds: seconds, environment: environment.merging(["PATH": path]) { $1 })
    }

    @Test func noFileNamesAFolderOfTheBuild() async throws {
        let prefix = try await Installed.shared.prefix()
        let naming = try await shell("grep -rlF -- '\(Sources.root)/' . || true", in: prefix)
        #expect(naming.isEmpty)
        let paths = try await shell(
            """
            find . -type f \\( -name '*.so' -o -path './bin/*' -o -path './libexec/*' \\) -exec readelf -d {} + |
                sed -n 's/.*R[UN]*PATH.*\\[\\(.*\\)\\]/\\1/p' | tr : '\\n' | sort -u
            """, in: prefix)
        let foreign = paths.split(separator: "\n").filter { !$0.hasPrefix("$ORIGIN") }
        #expect(foreign.isEmpty && !paths.isEmpty, "\(foreign)")
    }

    @Test func theDeploymentThatShipsIsProvedToursAndIsOperated() async throws {
        let said = try await run(
            """
            theatre check | tee check
            theatre tour --serve --json | tail -n 1
            theatre plugins list --files
            theatre plugin validate "$(dirname "$(dirname "$(command -v theatre)")")/lib/theatreos/libLedger.so" --quick
            """)
        #expect(said.contains("nothing is wrong"))
        #expect(said.contains("\"scenes\":"))
        #expect(said.contains("Bianjing"))
        #expect(said.contains("checks passed"))
    }

    @Test func everyPluginRunsInASandboxAndShowsWhatHoldsIt() async throws {
        let said = try await run(
            """
            cp -r "$(dirname "$(dirname "$(command -v theatre)")")/share/theatreos/plugins.d" .
            for file in plugins.d/*.yaml; do
                case $file in */00-host.yaml | */90-routes.yaml) ;; *) echo 'mode: isolated' >> "$file" ;; esac
            done
            theatre tour --serve --json | tail -n 1
            theatre serve --port 0 --ready-fd 3 3> ready > log 2>&1 &
            until [ -s ready ]; do kill -0 $! && sleep 0.1; done
            theatre plugins show ledger
            theatre plugins show ledger --json
            kill -KILL "$(theatre plugins show ledger | sed -n 's/^process *//p')"
            until theatre plugins show ledger | grep '^crashes  *1$'; do sleep 0.1; done
            theatre plugins show ledger | grep '^last crash'
            kill -TERM $! && wait $!
            """)
        #expect(said.contains("\"scenes\":"))
        let line = try #require(said.split(separator: "\n").last { $0.hasPrefix("{") })
        let facts = try JSONValue(json: Data(line.utf8))["facts"]
        #expect(facts?["sandbox"]?.string?.contains("system call filter") == true)
        #expect(facts?["process"]?.string.flatMap { Int32($0) } != nil)
        #expect(said.contains("sandbox               no privileges"))
        #expect(said.contains("last crash            was killed by SIGKILL"))
        #expect(said.firstMatch(of: #/last crash at +20\d\d-/#) != nil, "\(said)")
    }

    @Test func aLibraryIsServedElsewhereAndSwapped() async throws {
        let said = try await run(
            """
            prefix="$(dirname "$(dirname "$(command -v theatre)")")"
            cp -r "$prefix/share/theatreos/plugins.d" .
            theatre plugin serve "$prefix/lib/theatreos/libBianjing.so" --listen "unix:$PWD/elsewhere" --plaintext \
                --ready-fd 3 3> where > served 2>&1 &
            elsewhere=$!
            trap 'kill $(jobs -p) 2> /dev/null || true' EXIT
            until [ -s where ]; do kill -0 $elsewhere && sleep 0.1; done
            printf 'mode: remote\\nremote: {endpoint: "unix:%s/elsewhere", plaintext: true}\\n' "$PWD" \
                >> plugins.d/60-bianjing.yaml
            theatre serve --port 0 --ready-fd 3 3> ready > log 2>&1 &
            until [ -s ready ]; do kill -0 $! && sleep 0.1; done
            theatre plugins show bianjing
            theatre plugins swap bianjing
            kill -TERM $! && wait $!
            kill -TERM $elsewhere && wait $elsewhere
            """)
        #expect(said.contains("security              plain text"), "\(said)")
        #expect(said.contains("session               open"), "\(said)")
    }

    @Test func aNewPluginInCBuildsAgainstWhatIsInstalled() async throws {
        let said = try await run(
            """
            theatre plugin new Little --contract content.Chat --language c
            make -s -C Little CC=clang
            theatre plugin validate Little/build/libLittle.so --quick
            """)
        #expect(said.contains("nothing is wrong"), "\(said)")
    }

    @Test func whatIsMissingIsSaidWithThePlacesWhereItWasLookedFor() async throws {
        let said = try await run(
            """
            mkdir none && ! THEATRE_PLUGINS="$PWD/none" theatre check
            THEATRE_RUNNER="$PWD/none/theatre-runner"
            export THEATRE_RUNNER
            mkdir plugins.d && echo 'development: true' > plugins.d/00-host.yaml
            printf 'plugin: SQLite\\ncritical: true\\nmode: isolated\\ngrants: {state_folder: true}\\n' > plugins.d/10-sqlite.yaml
            ! theatre serve --port 0
            """)
        #expect(said.contains("libraries were looked for in \(shop.root)/none"))
        #expect(said.contains("isolation.no_process") && said.contains("none at \(shop.root)/none/theatre-runner"))
    }

    @Test func pagesAndCompletionsNameEveryCommandAndOption() async throws {
        let prefix = try await Installed.shared.prefix()
        let help = try JSONValue(
            json: Data(try await shell("'\(prefix)/bin/theatre' --experimental-dump-help", in: "/").utf8))
        let shells = try [
            "bash-completion/completions/theatre", "zsh/site-functions/_theatre",
            "fish/vendor_completions.d/theatre.fish",
        ].map { try text("\(prefix)/share/\($0)") }
        for command in (help["command"]?["subcommands"]?.array ?? []) where command["shouldDisplay"]?.bool != false {
            let name = try #require(command["commandName"]?.string)
            guard name != "help" else { continue }
            let page = try text("\(prefix)/share/man/man1/theatre-\(name).1").replacing("\\-", with: "-")
            for word in Self.words(command) { #expect(page.contains(word), "theatre-\(name).1: \(word)") }
            #expect(shells.allSatisfy { $0.contains(name) })
        }
        #expect(try text("\(prefix)/share/man/man1/theatre.1").contains("theatre\\-plugins (1)"))
        _ = try await shell(
            """
            bash -n share/bash-completion/completions/theatre
            for page in share/man/man*/*; do [ -s "$page" ]; done
            """, in: prefix)
    }

    /// Names of commands and long options that are shown.
    private static func words(_ command: JSONValue) -> [String] {
        let options = (command["arguments"]?.array ?? []).filter { $0["shouldDisplay"]?.bool != false }
            .flatMap { $0["names"]?.array ?? [] }.filter { $0["kind"]?.string == "long" }
            .compactMap { $0["name"]?.string.map { "--\($0)" } }
        let below = (command["subcommands"]?.array ?? []).filter { $0["shouldDisplay"]?.bool != false }
        return options + below.compactMap { $0["commandName"]?.string } + below.flatMap(words)
    }

    private func text(_ path: String) throws -> String { try String(contentsOf: URL(filePath: path), encoding: .utf8) }

    @Test func uninstallingLeavesNothing() async throws {
        try await Installed.shared.make("install", prefix: "/opt/theatre", destination: shop.path("root"))
        #expect(FileManager.default.fileExists(atPath: shop.path("root/opt/theatre/bin/theatre")))
        try await Installed.shared.make("uninstall", prefix: "/opt/theatre", destination: shop.path("root"))
        #expect(try await shell("find root -type f", in: shop.root).isEmpty)
        #expect(try await shell("find root -mindepth 3", in: shop.root).isEmpty)
    }
}
