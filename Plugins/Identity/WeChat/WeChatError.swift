// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SignIn
import TheatrePlugin

/// What WeChat's error numbers mean for a sign-in. It says nothing by status.
enum WeChatError {
    /// The error of a number.
    static func error(_ code: Int64) -> PluginError {
        switch code {
        // Wrong, used or missing code: only the person can get another.
        case 40029, 40163, 41008, 42002, 40030, 42003: SignInError.refused()
        // WeChat takes the person for a risk: no other answer than a wrong code's.
        case 40226: SignInError.refused()
        case -1: SignInError.unreachable("WeChat is busy")
        case 45009, 45011: SignInError.throttled(milliseconds: 60_000)
        default: SignInError.misconfigured("WeChat answers \(code)")
        }
    }
}
