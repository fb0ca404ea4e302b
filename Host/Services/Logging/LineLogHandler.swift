// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Logging

/// Logs structured lines through a ``LogWriter``, without the values of secret metadata.
public struct LineLogHandler: LogHandler {
    /// Of every record of the logger.
    public var metadata: Logger.Metadata = [:]
    /// Records below it are not written.
    public var logLevel: Logger.Level
    /// Of the task that logs.
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let writer: LogWriter
    private let format: LogFormat
    private let wall: @Sendable () -> Int64
    private let generation: @Sendable (String) -> UInt32?

    /// A handler for the logger `label`.
    ///
    /// - Parameters:
    ///   - wall: gives milliseconds since 1970.
    ///   - generation: the one of an instance that serves now; a line that names an instance and no generation gets it.
    public init(
        label: String, writer: LogWriter, format: LogFormat, level: Logger.Level = .info,
        wall: @escaping @Sendable () -> Int64, generation: @escaping @Sendable (String) -> UInt32? = { _ in nil }
    ) {
        self.label = label
        self.writer = writer
        self.format = format
        self.wall = wall
        self.generation = generation
        logLevel = level
    }

    /// One member of ``metadata``.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Queues one line.
    public func log(event: LogEvent) {
        var all = metadataProvider?.get() ?? [:]
        all.merge(metadata) { $1 }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error { all["error"] = "\(error)" }
        if all["generation"] == nil, case .string(let instance)? = all["instance"],
            let generation = generation(instance)
        {
            all["generation"] = "\(generation)"
        }
        writer.write(
            format.line(
                time: wall(), level: event.level, logger: label,
                message: event.message.description, metadata: Redaction.clean(all)))
    }
}
