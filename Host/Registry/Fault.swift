// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

/// The stable codes of what can be wrong with a deployment.
public enum FaultCode: String, Sendable, CaseIterable, Encodable {
    /// A file does not have the shape it must have: an unknown key, a missing value, a wrong type.
    case declarationInvalid = "declaration.invalid"
    /// A route for a feature that no plugin declares.
    case routeUnknownFeature = "route.unknown_feature"
    /// A route names a profile or instance that is not declared.
    case routeUnknownProfile = "route.unknown_profile"
    /// A profile of an instance that is not declared.
    case profileUnknownInstance = "profile.unknown_instance"
    /// Two profiles, or a profile and an instance, of one name.
    case profileDuplicate = "profile.duplicate"
    /// The profile's instance does not provide the capability, or is disabled.
    case routeIncapable = "route.incapable"
    /// It provides the capability, but an attribute does not meet the need.
    case routeUnmet = "route.unmet"
    /// The last probe of the capability failed or is too old.
    case routeUnproved = "route.unproved"
    /// A feature that must be routed has no route and nothing that could meet it.
    case featureUnrouted = "feature.unrouted"
    /// Two plugins declare one feature for different capabilities.
    case featureConflict = "feature.conflict"
    /// A combination of conditions that reaches no candidate.
    case routeUncovered = "route.uncovered"
    /// A candidate that nothing can reach.
    case routeShadowed = "route.shadowed"
    /// Two of equal rank that both match, two routes of one feature, or two instances and no route.
    case routeAmbiguous = "route.ambiguous"
    /// A chain of fallbacks that comes back to where it was.
    case routeCycle = "route.cycle"
    /// Fallbacks for a feature whose need forbids them.
    case routeFallbackForbidden = "route.fallback_forbidden"
    /// Conditions that cannot be decided within bounds.
    case routeTooComplex = "route.too_complex"
    /// Several instances provide a capability that only one may.
    case capabilityDuplicate = "capability.duplicate"
    /// A provider leaves out an operation that its contract demands.
    case contractIncomplete = "contract.incomplete"
    /// The plugin needs what is not granted.
    case grantMissing = "grant.missing"
    /// The deployment grants what the plugin never asks for.
    case grantExcess = "grant.excess"
    /// A secret is to be read by an instance that is not there or reads none.
    case secretUnknownVault = "secret.unknown_vault"
    /// An instance that reads secrets from a vault has one of a vault itself.
    case secretCircular = "secret.circular"
    /// The plugin must not run in the mode it is configured for.
    case modeForbidden = "mode.forbidden"
    /// The configuration fails its schema.
    case instanceConfig = "instance.config"
    /// An instance of a plugin that is not installed.
    case instanceUnknownPlugin = "instance.unknown_plugin"
    /// Two instances of one name.
    case instanceDuplicate = "instance.duplicate"
    /// A name that an instance cannot have.
    case instanceName = "instance.name"
    /// Two routes of HTTP that match the same requests.
    case httpRouteConflict = "http.route_conflict"
    /// A route whose path is no template or whose messages its contracts lack. Found where routes are made.
    case httpRouteInvalid = "http.route_invalid"
    /// A route of a project, and no instance tells who belongs to one.
    case httpRouteUnguarded = "http.route_unguarded"
    /// A manifest states or requires an attribute that the contract does not declare.
    case attributeUndeclared = "attribute.undeclared"
    /// An attribute or a requirement of another type than the contract declares.
    case attributeType = "attribute.type"
    /// A plugin calls an operation that only the host may call.
    case callHostOnly = "call.host_only"
    /// A manifest names an operation that the contract does not have.
    case manifestOperationUnknown = "manifest.operation_unknown"
    /// A manifest provides or needs a capability that its contracts do not describe.
    case manifestCapabilityUnknown = "manifest.capability_unknown"
}

/// One thing that is wrong with a deployment, where, and what to do about it.
public struct Fault: Error, Sendable, Hashable {
    /// Stable code.
    public var code: FaultCode
    /// Where it was declared.
    public var source: Source
    /// What is wrong, one sentence.
    public var sentence: String
    /// What to do, one sentence.
    public var fix: String

    /// A fault at a place.
    public init(_ code: FaultCode, at source: Source, _ sentence: String, fix: String) {
        self.code = code
        self.source = source
        self.sentence = sentence
        self.fix = fix
    }

    /// The fault of a document that a reader refused.
    public init(_ error: any Error, in map: SourceMap) {
        code = .declarationInvalid
        guard let error = error as? ManifestError else {
            source = map.source(at: "")
            sentence = "The file cannot be read: \(error)."
            fix = "Correct the file."
            return
        }
        source = map.source(at: error.pointer)
        sentence = error.message.hasSuffix("?") ? "\(error)" : "\(error)."
        fix = error.code == "manifest.unknown_key" ? "Correct or remove the key." : "Correct the value."
    }
}

extension Fault: CustomStringConvertible {
    /// `90-routes.yaml:12: route.cycle: sentence fix`.
    public var description: String { "\(source): \(code.rawValue): \(sentence) \(fix)" }
}

extension Fault: Comparable {
    /// By file, line, code, sentence.
    public static func < (a: Fault, b: Fault) -> Bool {
        (a.source.file, a.source.line, a.code.rawValue, a.sentence)
            < (b.source.file, b.source.line, b.code.rawValue, b.sentence)
    }
}

extension Fault: Encodable {
    private enum Key: String, CodingKey { case code, file, line, sentence, fix }

    /// One flat object: code, file, line, sentence, fix.
    public func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        try object.encode(code, forKey: .code)
        try object.encode(source.file, forKey: .file)
        try object.encode(source.line, forKey: .line)
        try object.encode(sentence, forKey: .sentence)
        try object.encode(fix, forKey: .fix)
    }
}
