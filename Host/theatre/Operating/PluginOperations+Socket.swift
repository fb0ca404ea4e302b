// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Control
import FoundationEssentials
import Logging
import Runtime
import Services
import SwiftProtobuf
import TheatreContracts
import TheatreManifest

extension PluginOperations {
    /// Where operators of this machine reach the host.
    static func socket(state: String) -> String { "\(state)/control.sock" }

    /// Answers on the control socket. A host whose socket cannot be bound serves without, and says so.
    func listen() async -> ControlServer? {
        do {
            try FileManager.default.createDirectory(
                atPath: settings.host.state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            return try await ControlServer(path: Self.socket(state: settings.host.state)) { [self] request, answer in
                do throws(CallError) {
                    let request = try PluginRequest(request)
                    perform(request) { [self] result in
                        note(request, result)
                        switch result {
                        case .success(let done): answer(ControlAnswer.success(done.json))
                        case .failure(let error): answer(ControlAnswer.failure(error.reason, error.message))
                        }
                    }
                } catch {
                    answer(ControlAnswer.failure(error.reason, error.message))
                }
            }
        } catch {
            parts.logger.warning("`theatre plugins` cannot operate this host", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// What is changed over the socket is in the audit too; over HTTP the plugin's commit writes the row.
    private func note(_ request: PluginRequest, _ result: Result<PluginAnswer, CallError>) {
        guard let action = request.change else { return }
        let context = HostContext.operating(
            "plugin", action, route: "theatre plugins \(action) \(request.instance)", decision: "control socket")
        let refused: String? = if case .failure(let error) = result { error.reason } else { nil }
        parts.audit(context, refused: refused)
    }
}
