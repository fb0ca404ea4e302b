// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CPostgreSQL
import Glibc

/// Makes connections, one address after another.
///
/// Unchecked: made anywhere, then used on the loop's thread only.
final class Dialler: @unchecked Sendable {
    let options: ServerOptions
    private let loop: EventLoop
    private let resolver: BlockingThread
    private let canceller: BlockingThread
    /// The index of the address to try first.
    private var preferred = 0
    /// Connections that are being made: nobody else has them yet.
    private var underWay: [ObjectIdentifier: ServerConnection] = [:]
    private var isClosed = false

    init(options: ServerOptions, loop: EventLoop, resolver: BlockingThread, canceller: BlockingThread) {
        self.options = options
        self.loop = loop
        self.resolver = resolver
        self.canceller = canceller
    }

    /// Tries each address once; the error is the last one's, or of one that answered and refused.
    func dial(_ done: @escaping @Sendable (Result<ServerConnection, WireError>) -> Void) {
        dial(from: preferred, tried: 0, worst: nil, done)
    }

    /// Gives up what is being made, and makes no more. On the loop's thread.
    func close() {
        isClosed = true
        for connection in Array(underWay.values) { connection.close() }
    }

    private func dial(
        from index: Int, tried: Int, worst: WireError?,
        _ done: @escaping @Sendable (Result<ServerConnection, WireError>) -> Void
    ) {
        let index = index % options.addresses.count
        attempt(options.addresses[index]) { result in
            switch result {
            case .success:
                self.preferred = index
                done(result)
            case .failure(let error):
                let isSilent = error.state.isEmpty && error.kind != .untrusted
                let told = isSilent ? worst ?? error : error
                guard tried + 1 < self.options.addresses.count, !self.isClosed else { return done(.failure(told)) }
                self.dial(from: index + 1, tried: tried + 1, worst: told, done)
            }
        }
    }

    private func attempt(
        _ address: ServerAddress, _ done: @escaping @Sendable (Result<ServerConnection, WireError>) -> Void
    ) {
        let parameters = options.parameters(for: address)
        let (loop, canceller, prepares) = (loop, canceller, options.prepares)
        let limit = options.connectMilliseconds
        resolver.execute {
            // Here and not on the loop: names are looked up and files read before this returns.
            let connection = ServerConnection(
                handle: Self.start(parameters), loop: loop, canceller: canceller, prepares: prepares)
            loop.execute { self.connect(connection, milliseconds: limit, done) }
        }
    }

    private func connect(
        _ connection: ServerConnection, milliseconds: Int,
        _ done: @escaping @Sendable (Result<ServerConnection, WireError>) -> Void
    ) {
        guard !isClosed else {
            connection.close()
            return done(.failure(WireError(.connection, message: "the connection was given up")))
        }
        let key = ObjectIdentifier(connection)
        underWay[key] = connection
        let timer = loop.after(milliseconds: milliseconds) { connection.close() }
        connection.connect { error in
            self.loop.cancel(timer)
            self.underWay[key] = nil
            if let error {
                done(.failure(error))
            } else {
                done(.success(connection))
            }
        }
    }

    private static func start(_ parameters: [(String, String)]) -> OpaquePointer? {
        let keys = parameters.map { strdup($0.0) }
        let values = parameters.map { strdup($0.1) }
        defer { (keys + values).forEach { free($0) } }
        let keyPointers = keys.map { UnsafePointer($0) } + [nil]
        let valuePointers = values.map { UnsafePointer($0) } + [nil]
        return PQconnectStartParams(keyPointers, valuePointers, 0)
    }
}
