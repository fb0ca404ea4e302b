// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import CTheatrePlugin

/// How an instance is run, as `mode` in `plugins.d` says.
public enum InstanceMode: String, Sendable, Hashable, CaseIterable {
    /// In the host's own process.
    case inproc
    /// In a child of the host, in a sandbox.
    case isolated
    /// In a server elsewhere.
    case remote
}

/// Where one generation of an instance lives: in this process, in a child of it, or elsewhere. To the dispatcher it is a
/// `theatre_instance` table in any case.
public protocol InstanceHome: AnyObject, Sendable {
    /// As `theatre_plugin.create`: makes the instance and gives its table, or fills in the error. Called once, on the
    /// instance's control thread. `host` lives as long as the dispatcher.
    func create(
        _ host: UnsafePointer<theatre_host>, _ arguments: UnsafePointer<theatre_create>,
        _ instance: UnsafeMutablePointer<UnsafeMutablePointer<theatre_instance>?>,
        _ error: UnsafeMutablePointer<theatre_error>
    ) -> theatre_code

    /// Gives up what is left of it, after `destroy` or where it came to none; more than once is as once. On any thread but
    /// the shared pool's. The table stays valid, and its functions do nothing.
    func end()

    /// Ends it because it hangs; what it ends with is then told as a crash. Nothing where that is not possible.
    func abort()

    /// What a status shows of where it runs, by name: process, what of the sandbox is enforced.
    var facts: [String: String] { get }

    /// Why it takes no calls just now, though it was brought up and nothing of it ended; nil where it takes them.
    var refusal: CallError? { get }
}

extension InstanceHome {
    /// It takes calls for as long as it runs.
    public var refusal: CallError? { nil }
}

/// Makes the homes of one mode.
public protocol InstanceHousing: Sendable {
    /// A home for one generation of an instance; nothing of the plugin's own runs before `create` but its constructors.
    ///
    /// - Parameter ended: called once where the home ends by itself, such as by a crash; on any thread, must not block.
    /// - Throws: `LoadError` where there can be none.
    func home(
        for plan: InstancePlan, ended: @escaping @Sendable (InstanceEnd) -> Void
    ) throws(LoadError) -> any InstanceHome
}

/// How a home ended by itself.
public struct InstanceEnd: Sendable, Hashable {
    /// Wall clock, milliseconds since 1970.
    public var at: Int64
    /// One clause, such as `was killed by SIGSEGV`.
    public var cause: String
    /// The last of what it wrote to its standard error; empty where it wrote nothing.
    public var output: String
    /// Its place is out of reach and expected back: it is started again for as long as that takes.
    public var isPassing = false

    /// An end and what tells of it.
    public init(at: Int64, cause: String, output: String) {
        self.at = at
        self.cause = cause
        self.output = output
    }
}
