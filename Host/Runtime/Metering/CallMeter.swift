// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Registry
internal import TheatreManifest
internal import Transcoding

/// Told what calls to those outside used.
public protocol CallMeter: Sendable {
    /// A call ended. Comes once for each attempt that was sent, on any thread; must not block.
    func record(_ call: MeteredCall)
}

/// A call to somebody outside that ended.
public struct MeteredCall: Sendable {
    /// What is the same for all calls of a caller's need and a profile.
    public let profile: MeteredProfile
    /// On whose behalf.
    public let context: CallContext
    /// Encoded `theatre.host.v1.RouteAttributes`, or empty.
    public let attributes: [UInt8]
    /// Wall clock at its end, in milliseconds since 1970.
    public let at: Int64
    /// How long it took.
    public let nanoseconds: UInt64
    /// What it used; nil where the answer did not say, or there was none.
    public let usage: UsageCounts?
    /// Why it failed; nil where it was answered.
    public let error: CallError?
}

/// What a call used.
public struct UsageCounts: Sendable, Hashable {
    /// By unit; only what is more than nothing.
    public var counts: [String: Int64]
    /// Names the work where several answers tell of the same; empty otherwise.
    public var id: String
}

/// A need of an instance and a profile that meets it.
public final class MeteredProfile: Sendable {
    /// The need.
    public let feature: String
    /// Whose.
    public let caller: String
    /// Name of the profile.
    public let profile: String
    /// Its instance.
    public let instance: String
    /// Its parameter `model`, or empty.
    public let model: String
    /// `capability/Operation`.
    public let operation: String
    /// What it costs; nil where nobody said.
    let price: Price?
    /// Where answers say what was used.
    let layout: UsageLayout
    let meter: any CallMeter

    init(
        feature: String, caller: String, profile: ProfileDeclaration, operation: String, layout: UsageLayout,
        meter: any CallMeter
    ) {
        self.feature = feature
        self.caller = caller
        self.profile = profile.name
        instance = profile.instance
        model = profile.parameters["model"]?.string ?? ""
        self.operation = operation
        price = profile.price
        self.layout = layout
        self.meter = meter
    }

    /// ISO 4217 of ``cost(of:)``; empty where calls are free or nobody said what they cost.
    public var currency: String { price?.currency ?? "" }

    /// What a call's usage costs, in millionths of the currency's unit, rounded up; nil where nobody said.
    public func cost(of usage: UsageCounts) -> Int64? {
        guard case .micros(let micros)? = price?.cost(of: usage.counts, parts: layout.parts) else { return nil }
        return micros
    }

    /// What a message says was used.
    func usage(in message: UnsafeRawBufferPointer) -> UsageCounts? {
        layout.read(message).map { UsageCounts(counts: $0.counts, id: $0.id) }
    }
}
