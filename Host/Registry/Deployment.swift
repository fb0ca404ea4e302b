// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreManifest

/// A plugin that is there to be configured: what its library says, read without running it.
public struct InstalledPlugin: Sendable, Hashable {
    /// Its verified manifest.
    public var manifest: Manifest
    /// Its contracts.
    public var contracts: ContractFacts
    /// The file it was read from.
    public var source: Source

    /// A plugin as its library describes it.
    public init(manifest: Manifest, contracts: ContractFacts, source: Source) {
        self.manifest = manifest
        self.contracts = contracts
        self.source = source
    }
}

/// All that `plugins.d` declares.
public struct Deployment: Sendable, Hashable {
    /// True where age of probes does not matter.
    public var development: Bool
    /// Classes that limit how often routes are called: those the host has, and those that `00-host.yaml` adds.
    public var rates: Set<String>
    /// Features that the host itself needs met, such as its storage.
    public var hostNeeds: [Manifest.Need]
    /// Instances in the order of their files.
    public var instances: [InstanceDeclaration]
    /// Named ways to use an instance.
    public var profiles: [ProfileDeclaration]
    /// Feature to candidates.
    public var routes: [RouteDeclaration]

    /// The rate classes of every host. A deployment may say other bounds for them, and add classes of its own.
    public static let standardRates: Set<String> = ["default", "login", "provider", "upload"]

    /// A deployment of these declarations.
    public init(
        development: Bool = false, rates: Set<String> = Self.standardRates, hostNeeds: [Manifest.Need] = [],
        instances: [InstanceDeclaration] = [], profiles: [ProfileDeclaration] = [], routes: [RouteDeclaration] = []
    ) {
        self.development = development
        self.rates = rates
        self.hostNeeds = hostNeeds
        self.instances = instances
        self.profiles = profiles
        self.routes = routes
    }
}

/// A named way to use an instance. Every instance has one of its own name without parameters.
public struct ProfileDeclaration: Sendable, Hashable {
    /// Unique among profiles and instances.
    public var name: String
    /// The instance it uses.
    public var instance: String
    /// Model, merchant, template and the like, as the instance's plugin knows them; an object.
    public var parameters: JSONValue
    /// What a call costs; nil where nobody said.
    public var price: Price?
    /// What it may use; an object, empty for no limit.
    public var limits: JSONValue
    /// Where it was declared.
    public var source: Source

    /// A profile.
    public init(
        name: String, instance: String, parameters: JSONValue = .object([:]), price: Price? = nil,
        limits: JSONValue = .object([:]), source: Source
    ) {
        self.name = name
        self.instance = instance
        self.parameters = parameters
        self.price = price
        self.limits = limits
        self.source = source
    }
}

/// Which profiles meet a feature, and when.
public struct RouteDeclaration: Sendable, Hashable {
    /// A feature that a plugin's manifest needs.
    public var feature: String
    /// True: every combination of conditions must reach a candidate. False: calls that no candidate takes are refused
    /// at run time with `route.unmatched`.
    public var strict: Bool
    /// In order of rank: the first whose conditions hold is taken.
    public var candidates: [Candidate]
    /// Profiles tried in order after a failure without effect, for candidates that state none of their own.
    public var fallbacks: [String]
    /// What calls may cost; an object, empty for no budget.
    public var budget: JSONValue
    /// Where it was declared.
    public var source: Source

    /// A route.
    public init(
        feature: String, strict: Bool = true, candidates: [Candidate], fallbacks: [String] = [],
        budget: JSONValue = .object([:]), source: Source
    ) {
        self.feature = feature
        self.strict = strict
        self.candidates = candidates
        self.fallbacks = fallbacks
        self.budget = budget
        self.source = source
    }

    /// One profile of a route.
    public struct Candidate: Sendable, Hashable {
        /// A profile, or an instance for the profile of its name.
        public var profile: String
        /// When it is taken.
        public var when: RouteConditions
        /// Share among neighbours of equal rank and equal conditions, from 1; nil for a candidate that shares with none.
        public var weight: Int?
        /// Lower is asked first; nil for its position in the list, from 1.
        public var rank: Int?
        /// Instead of the route's; nil for the route's.
        public var fallbacks: [String]?
        /// Where it was declared.
        public var source: Source

        /// A candidate.
        public init(
            _ profile: String, when: RouteConditions = RouteConditions(), weight: Int? = nil, rank: Int? = nil,
            fallbacks: [String]? = nil, source: Source
        ) {
            self.profile = profile
            self.when = when
            self.weight = weight
            self.rank = rank
            self.fallbacks = fallbacks
            self.source = source
        }
    }
}

/// What probes found, as an input value.
public struct Probes: Sendable, Hashable {
    /// The last result of each instance and capability; none where nothing was probed yet, which is no fault.
    public var results: [Result]
    /// Wall clock, milliseconds since 1970.
    public var now: Int64
    /// Oldest result that counts, in milliseconds.
    public var maximumAge: Int64

    /// Results as of `now`.
    public init(_ results: [Result] = [], now: Int64 = 0, maximumAge: Int64 = 86_400_000) {
        self.results = results
        self.now = now
        self.maximumAge = maximumAge
    }

    /// One result.
    public struct Result: Sendable, Hashable {
        /// Which instance.
        public var instance: String
        /// Which of its capabilities.
        public var capability: String
        /// Why it failed; nil where it passed.
        public var failure: String?
        /// When, in milliseconds since 1970.
        public var at: Int64
        /// What was probed, as the host names it: of an instance that is another by now it says nothing. nil
        /// where that is not known.
        public var subject: String?

        /// One result.
        public init(instance: String, capability: String, failure: String? = nil, at: Int64, subject: String? = nil) {
            self.instance = instance
            self.capability = capability
            self.failure = failure
            self.at = at
            self.subject = subject
        }
    }
}
