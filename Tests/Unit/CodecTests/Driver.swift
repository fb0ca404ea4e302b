// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Scaffold
import Toolchains

/// The codec of one language in a program of its own.
struct Driver {
    let language: Toolchain
    private let folder: String

    /// One message to decode and encode again.
    struct Case {
        /// `Maps`, else `Everything`.
        var isMaps = false
        let bytes: [UInt8]
    }

    /// Writes the codec, and builds it with what decodes and encodes again. Made once for each language.
    static func built(_ language: Toolchain) throws -> Driver {
        try language.require()
        let folder = "\(Toolchain.root)/.build/codec-\(language.rawValue)-\(getpid())"
        if !FileManager.default.fileExists(atPath: "\(folder)/built") { try build(language, folder) }
        return Driver(language: language, folder: folder)
    }

    private static let tests = "\(Toolchain.root)/Tests/Unit/CodecTests"

    /// The contract that has every kind of field.
    static func contract() throws -> Contract {
        let home = DeveloperHome(path: Toolchain.root)
        let sets = ["\(tests)/Contract/codec.binpb", home.contracts].map { URL(filePath: $0) }
        return try Contract("acme.codec.v1.Echo", in: try sets.map { try Data(contentsOf: $0) })
    }

    private static func build(_ language: Toolchain, _ folder: String) throws {
        let home = DeveloperHome(path: Toolchain.root)
        guard let target = Language(rawValue: language.rawValue) else { throw ShellError(description: "\(language)") }
        // What an earlier run left.
        try shell("rm -rf codec-\(language.rawValue)-*", in: "\(Toolchain.root)/.build")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for file in try Codec(contract()).files(target) {
            try Data(file.text.utf8).write(to: URL(filePath: "\(folder)/\(file.name)"))
        }
        let template = home.template(target)
        let (copies, command) =
            switch language {
            case .c:
                (
                    "\(template)/src/wire*.[ch] \(home.headers)/*.h \(tests)/Drivers/driver.c",
                    "cc -std=c11 -Wall -Wextra -Werror -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all *.c -o driver"
                )
            case .rust:
                (
                    "\(template)/src/wire.rs \(tests)/Drivers/driver.rs",
                    "rustc --edition 2021 -g -O -D warnings -C debug-assertions -C overflow-checks driver.rs"
                )
            case .go:
                (
                    "\(template)/wire.go \(tests)/Drivers/driver.go",
                    "printf 'module codec\\ngo 1.21\\n' > go.mod && '\(language.program)' vet . && '\(language.program)' build -o driver"
                )
            case .zig:
                (
                    "\(template)/src/wire.zig \(tests)/Drivers/driver.zig",
                    "'\(language.program)' build-exe -OReleaseSafe -lc driver.zig"
                )
            }
        let settings = language.settings(caches: "\(folder)/caches")
        try shell("export \(settings) && cp \(copies) . && \(command) && touch built", in: folder)
    }

    /// What became of each: the bytes it was encoded to, or nil where it is no message.
    func run(_ cases: [Case]) throws -> [[UInt8]?] {
        var input: [UInt8] = []
        for one in cases {
            input.append(one.isMaps ? 1 : 0)
            withUnsafeBytes(of: UInt32(one.bytes.count).littleEndian) { input += $0 }
            input += one.bytes
        }
        let output = Array(try shell("./driver", in: folder, input: Data(input)))
        var results: [[UInt8]?] = []
        var at = 0
        while at + 5 <= output.count {
            let size = (0..<4).reduce(0) { $0 | Int(output[at + 1 + $1]) << (8 * $1) }
            results.append(output[at] == 1 ? Array(output[(at + 5)..<(at + 5 + size)]) : nil)
            at += 5 + size
        }
        guard results.count == cases.count else {
            throw ShellError(description: "\(language) answered \(results.count) of \(cases.count)")
        }
        return results
    }
}
