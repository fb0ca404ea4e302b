// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc
public import TheatreManifest

/// The operator's end of a host's control socket. Its functions block.
public struct ControlClient: Sendable {
    private let path: String

    /// The socket at `path`; nothing is opened yet.
    public init(path: String) { self.path = path }

    /// Whether a host listens.
    public var isHeard: Bool {
        guard case .success(let descriptor) = connected(seconds: 5) else { return false }
        close(descriptor)
        return true
    }

    /// Asks and waits for the answer; nil where no host listens.
    ///
    /// - Throws: ``ControlFailure`` where the host ends the connection or takes too long.
    public func ask(_ request: JSONValue, seconds: Int = 120) throws -> JSONValue? {
        let descriptor: Int32
        switch connected(seconds: seconds) {
        case .success(let open): descriptor = open
        case .failure(let error) where [ENOENT, ECONNREFUSED, ENOTDIR].contains(error.code): return nil
        case .failure(let error):
            throw ControlFailure("\(path) cannot be used: \(String(cString: strerror(error.code)))")
        }
        defer { close(descriptor) }
        try send(try request.json() + [10], descriptor)
        return try JSONValue(json: try answer(descriptor))
    }

    private struct SystemError: Error { let code: Int32 }

    private func connected(seconds: Int) -> Result<Int32, SystemError> {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            return .failure(SystemError(code: ENAMETOOLONG))
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return .failure(SystemError(code: errno)) }
        var patience = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else {
            let error = errno
            close(descriptor)
            return .failure(SystemError(code: error))
        }
        return .success(descriptor)
    }

    private func send(_ bytes: Data, _ descriptor: Int32) throws {
        var left = Array(bytes)[...]
        while !left.isEmpty {
            let count = left.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ControlFailure("the host at \(path) ended the connection") }
            left = left.dropFirst(count)
        }
    }

    private func answer(_ descriptor: Int32) throws -> Data {
        var answer = Data()
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ControlFailure("the host at \(path) did not answer in time") }
            if count == 0 { break }
            answer.append(contentsOf: buffer[..<count])
            guard answer.count <= 64 << 20 else { throw ControlFailure("the host at \(path) answered too much") }
        }
        guard !answer.isEmpty else {
            throw ControlFailure("the host at \(path) ended the connection without an answer")
        }
        return answer
    }
}
