// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Runtime
import SwiftProtobuf
import TheatreContracts
import TheatreManifest

@testable import Remote

/// What a session begins with that is sound for once.
enum HostileSession {
    static let number: UInt64 = 4711

    /// Makes an instance of the library that is served.
    static func create(_ instance: String, of file: PluginFile) -> RemoteCreate {
        .with {
            $0.session = number
            $0.instance = instance
            $0.generation = 1
            $0.plugin = file.manifest.name
            $0.version = file.manifest.version
            $0.manifestSha256 = Data(file.manifestDigest)
            $0.configuration = Data("{}".utf8)
        }
    }

    /// Of a call to that instance, as it goes over the wire.
    static let header = RemoteCallHeader.with {
        $0.session = number
        $0.attempt = 1
    }.wireBytes
}
