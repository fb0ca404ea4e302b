// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Glibc
internal import Registry
internal import Runtime

/// How two ends know each other: files in PEM, looked at before they are used.
enum Credentials {
    /// The host's end of mutual TLS, 1.2 at least.
    static func client(
        _ tls: InstanceDeclaration.TLS?, _ plugin: String
    ) throws(LoadError) -> HTTP2ClientTransport.Posix.TransportSecurity {
        guard let tls else { return .plaintext }
        try check(authority: tls.authority, certificate: tls.certificate, key: tls.key, plugin)
        return .mTLS(
            certificateChain: [.file(path: tls.certificate, format: .pem)],
            privateKey: .file(path: tls.key, format: .pem)
        ) { $0.trustRoots = .certificates([.file(path: tls.authority, format: .pem)]) }
    }

    /// The server's end: a client without a certificate of the authority is not let in.
    static func server(
        authority: String, certificate: String, key: String, _ plugin: String
    ) throws(LoadError) -> HTTP2ServerTransport.Posix.TransportSecurity {
        try check(authority: authority, certificate: certificate, key: key, plugin)
        return .mTLS(
            certificateChain: [.file(path: certificate, format: .pem)], privateKey: .file(path: key, format: .pem)
        ) {
            $0.trustRoots = .certificates([.file(path: authority, format: .pem)])
            $0.requireALPN = true
        }
    }

    private static func check(
        authority: String, certificate: String, key: String, _ plugin: String
    ) throws(LoadError) {
        for path in [authority, certificate, key] where access(path, R_OK) != 0 {
            throw LoadError(
                plugin: plugin, code: "remote.no_file", expected: "a file at \(path)",
                found: String(cString: strerror(errno)), fix: "put it there, or name another under remote.tls")
        }
        var status = stat()
        guard stat(key, &status) == 0, status.st_mode & 0o077 != 0 else { return }
        throw LoadError(
            plugin: plugin, code: "remote.key_readable", expected: "a key that only its owner may read",
            found: "mode \(String(status.st_mode & 0o777, radix: 8)) of \(key)", fix: "chmod 600 \(key)")
    }
}
