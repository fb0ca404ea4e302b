// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What an isolated instance is held to.
public struct SandboxPlan: Sendable, Hashable {
    /// Refuse to start where a guard cannot be enforced; otherwise the status says what is missing.
    public var isStrict = false
    /// Most bytes of writable memory, the stacks of threads included; 0 for no bound.
    public var memory: UInt64 = 1 << 30
    /// Most threads; 0 for no bound.
    public var threads: UInt64 = 256
    /// Most open descriptors; 0 for no bound.
    public var descriptors: UInt64 = 1024
    /// A crash writes the stack of its thread to standard error.
    public var writesStack = false
    /// Longest silence, in milliseconds, before it counts as hanging; 0 for ever.
    public var silence: UInt64 = 10_000
    /// Namespaces of its own are tried; without them less can be enforced, and the status says what.
    package var wantsNamespaces = true
    /// Files and folders it may touch, beside its state folder.
    public var files: [File] = []
    /// Where the host connects it to, beside nothing.
    public var connect: [Peer] = []

    /// 1 GiB, 256 threads, 1024 descriptors, 10 s, and nothing to touch.
    public init() {}

    /// A file or a folder with everything below it.
    public struct File: Sendable, Hashable {
        /// Absolute.
        public var path: String
        /// It may be changed.
        public var isWritable: Bool

        /// Something to touch.
        public init(path: String, isWritable: Bool) {
            self.path = path
            self.isWritable = isWritable
        }
    }

    /// A server that an instance talks to by a protocol of its own.
    public struct Peer: Sendable, Hashable, CustomStringConvertible {
        /// A name or an address.
        public var host: String
        /// 1 to 65535.
        public var port: Int

        /// A server.
        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        /// `host:port`.
        public var description: String { "\(host):\(port)" }
    }
}
