// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import Runtime

extension CallError {
    /// Reason and message for a log record; errors never hold secrets.
    var metadata: Logger.Metadata { ["reason": "\(reason)", "message": "\(message)"] }
}
