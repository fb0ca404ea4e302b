// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import NIOSSL
internal import Synchronization

/// The certificate the gateway shows, read again where its files change: connections that are open keep the one they
/// were opened with.
final class ServedCertificate: Sendable {
    private let files: GatewayConfiguration.TLS
    private let served: Mutex<Served>

    private struct Served {
        var context: NIOSSLContext
        var stamps: [Stamp]
    }

    /// What tells that a file was written or replaced.
    private struct Stamp: Equatable {
        /// Its number and size, as texts: the type of either differs by what else the process has loaded.
        var file = ""
        var changed: Date?

        /// A file that cannot be looked at has another stamp than before, so it is read, and that says why it cannot be.
        init(_ path: String) {
            guard let facts = try? FileManager.default.attributesOfItem(atPath: path) else { return }
            file = "\(facts[.systemFileNumber] ?? "") \(facts[.size] ?? "")"
            changed = facts[.modificationDate] as? Date
        }
    }

    init(_ files: GatewayConfiguration.TLS) throws {
        self.files = files
        let stamps = Self.stamps(files)
        served = Mutex(Served(context: try Self.context(files), stamps: stamps))
    }

    /// For the next connection.
    var context: NIOSSLContext { served.withLock { $0.context } }

    /// Reads the files again, where they are others than before or `always`; whether they were. Blocks.
    ///
    /// - Throws: what is wrong with them; the certificate shown so far stays.
    func reload(always: Bool = false) throws -> Bool {
        let stamps = Self.stamps(files)
        guard always || served.withLock({ $0.stamps != stamps }) else { return false }
        // A pair that is half written is looked at again only once it changes again.
        served.withLock { $0.stamps = stamps }
        let context = try Self.context(files)
        served.withLock { $0.context = context }
        return true
    }

    private static func stamps(_ files: GatewayConfiguration.TLS) -> [Stamp] {
        [Stamp(files.certificateFile), Stamp(files.keyFile)]
    }

    /// TLS 1.2 with forward secrecy and authenticated encryption, or 1.3.
    private static func context(_ files: GatewayConfiguration.TLS) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(files.certificateFile).map {
            NIOSSLCertificateSource.certificate($0)
        }
        let key = try NIOSSLPrivateKey(file: files.keyFile, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuiteValues = [
            .TLS_AES_128_GCM_SHA256, .TLS_AES_256_GCM_SHA384, .TLS_CHACHA20_POLY1305_SHA256,
            .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        ]
        configuration.applicationProtocols = ["h2", "http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }
}
