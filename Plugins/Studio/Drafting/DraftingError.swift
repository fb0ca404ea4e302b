// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why the plugin refuses a call, or gives a run up.
enum DraftingError {
    /// One answer for what is not there and what is of another project.
    static func notFound(_ what: String) -> PluginError {
        .notFound("drafting.not_found", "There is no such \(what) in this project; look at what it has.")
    }

    static func language() -> PluginError {
        .invalid("/language", "drafting.bad_language", "This is no language tag; write one like zh or en-GB.")
    }

    static func stranger() -> PluginError {
        PluginError(.unauthenticated, "drafting.no_principal", "Nobody is signed in; sign in and ask again.")
    }

    static func text(_ pointer: String, _ most: Int) -> PluginError {
        .invalid(
            pointer, "drafting.bad_text", "The text is empty or longer than \(most) characters; send 1 to \(most).")
    }

    static func insufficientChips(_ cost: Int64) -> PluginError {
        PluginError(
            .failedPrecondition, "drafting.insufficient_chips",
            "The run costs \(cost) chips and fewer are available; buy chips and start it again.")
    }

    static func holdSpent() -> PluginError {
        PluginError(
            .aborted, "drafting.hold_spent", "The chips of this request were freed before; send it with a new key.")
    }

    static func ended(_ status: RunMachine.Status) -> PluginError {
        PluginError(
            .failedPrecondition, "drafting.run_ended",
            "The run is \(status.rawValue) and can no longer be stopped; start another if need be.")
    }

    static func settling() -> PluginError {
        PluginError(
            .failedPrecondition, "drafting.run_settling",
            "The run's work is done and it is being settled; wait for its end.")
    }

    static func malformed(_ what: String) -> PluginError {
        PluginError(
            .dataLoss, "drafting.bad_\(what)", "The provider's \(what) cannot be used; the run asks again.",
            retry: .safe)
    }

    static func noScenes() -> PluginError {
        PluginError(
            .failedPrecondition, "drafting.no_scenes", "Nothing in the chapter could be staged; send a longer text.")
    }
}

extension PluginError {
    /// True where the same step may succeed later.
    var isPassing: Bool {
        if retry != .never { return true }
        switch code {
        case .cancelled, .unknown, .deadlineExceeded, .resourceExhausted, .aborted, .internal, .unavailable: return true
        case .invalidArgument, .notFound, .alreadyExists, .permissionDenied, .failedPrecondition, .outOfRange,
            .unimplemented, .dataLoss, .unauthenticated:
            return false
        }
    }
}
