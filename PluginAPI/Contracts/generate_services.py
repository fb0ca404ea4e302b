# TheatreOS
# SPDX-License-Identifier: Apache-2.0
"""Writes the Swift seams of every contract from a buf image in JSON: a protocol for providers, a client for callers."""
import json
import pathlib
import sys

OPTION = "[theatre.options.v1.operation]"


def lower_first(name):
    return name[0].lower() + name[1:]


def comment(lines, indent=""):
    return "".join(f"{indent}///{' ' + line.strip() if line.strip() else ''}\n" for line in lines)


def comments_of(file):
    found = {}
    for location in file.get("sourceCodeInfo", {}).get("location", []):
        text = location.get("leadingComments")
        if text:
            found[tuple(location.get("path", []))] = text.rstrip("\n").split("\n")
    return found


class Names:
    """Swift names of messages and services by their full protobuf names."""

    def __init__(self, image):
        self.prefix = {f["package"]: f.get("options", {}).get("swiftPrefix", "") for f in image["file"] if "package" in f}

    def message(self, full):
        package, _, name = full.lstrip(".").rpartition(".")
        return self.prefix[package] + name

    def service(self, package, name):
        prefix = self.prefix[package]
        return name if prefix == name else prefix + name


def operation(names, file, service, index, method, notes):
    swift = names.service(file["package"], service["name"])
    full = f"{file['package']}.{service['name']}/{method['name']}"
    request, response = names.message(method["inputType"]), names.message(method["outputType"])
    stream_in, stream_out = method.get("clientStreaming", False), method.get("serverStreaming", False)
    option = method.get("options", {}).get(OPTION, {})
    return {
        "swift": swift, "full": full, "name": lower_first(method["name"]), "rpc": method["name"],
        "request": request, "response": response, "in": stream_in, "out": stream_out,
        "optional": option.get("optional", False), "notes": notes.get((6, index[0], 2, index[1]), []),
    }


def provider_signature(op):
    if op["in"]:
        return f"func {op['name']}(_ input: MessageStream<{op['request']}>, _ call: Call, _ output: MessageSink<{op['response']}>) async throws"
    if op["out"]:
        return f"func {op['name']}(_ request: {op['request']}, _ call: Call, _ output: MessageSink<{op['response']}>) async throws"
    return f"func {op['name']}(_ request: {op['request']}, _ call: Call) async throws -> {op['response']}"


def registration(op):
    kind = "bidirectional" if op["in"] else "serverStreaming" if op["out"] else "unary"
    label = "input, call, output" if op["in"] else "request, call, output" if op["out"] else "request, call"
    return f"            .{kind}(\"{op['full']}\") {{ plugin, {label} in try await plugin.{op['name']}({label}) }},\n"


def client_method(op):
    text = comment(op["notes"], "    ")
    if op["in"]:
        text += f"    public func {op['name']}(_ options: CallOptions = CallOptions()) async throws -> BidirectionalCall<{op['request']}, {op['response']}> {{\n"
        text += f"        try await caller.bidirectional(\"{op['rpc']}\", options)\n    }}\n"
    elif op["out"]:
        text += f"    public func {op['name']}(_ request: {op['request']}, _ options: CallOptions = CallOptions()) async throws -> MessageStream<{op['response']}> {{\n"
        text += f"        try await caller.serverStreaming(\"{op['rpc']}\", request, options)\n    }}\n"
    else:
        text += f"    public func {op['name']}(_ request: {op['request']}, _ options: CallOptions = CallOptions()) async throws -> {op['response']} {{\n"
        text += f"        try await caller.unary(\"{op['rpc']}\", request, options)\n    }}\n"
    return text


def service_source(names, file, position, service, notes):
    swift = names.service(file["package"], service["name"])
    full = f"{file['package']}.{service['name']}"
    operations = [operation(names, file, service, (position, i), m, notes) for i, m in enumerate(service["method"])]
    about = notes.get((6, position), [])
    out = comment(about) + "///\n" + f"/// Capability `{full}`.\n"
    out += f"public protocol {swift}Contract: Sendable {{\n"
    out += "\n".join(comment(op["notes"], "    ") + "    " + provider_signature(op) + "\n" for op in operations)
    out += "}\n\n"
    out += f"extension {swift}Contract {{\n"
    out += f"    /// What to list in ``Plugin/operations`` to provide `{full}`.\n"
    out += f"    public static var {lower_camel(swift)}Operations: [Operation<Self>] {{\n        [\n"
    out += "".join(registration(op) for op in operations)
    out += "        ]\n    }\n"
    for op in operations:
        if op["optional"]:
            out += f"\n    /// Answers UNIMPLEMENTED: the operation is optional.\n    public {provider_signature(op)} {{\n"
            out += f"        throw PluginError.unimplemented(\"{op['full']}\")\n    }}\n"
    out += "}\n\n"
    out += comment(about) + "///\n" + f"/// Calls `{full}` for a feature of the manifest's `needs`.\n"
    if file["package"] == "theatre.host.v1":
        feature = f"\"{full}\""
        init = f"    /// Calls the host on behalf of what `scope` serves.\n    public init(_ scope: some CallScope) {{\n        caller = Caller(scope, feature: {feature})\n    }}\n"
    else:
        init = "    /// Calls whatever the feature is routed to, on behalf of what `scope` serves.\n    public init(_ scope: some CallScope, feature: String) {\n        caller = Caller(scope, feature: feature)\n    }\n"
    out += f"public struct {swift}Client: Sendable {{\n    let caller: Caller\n\n{init}"
    out += "".join("\n" + client_method(op) for op in operations)
    out += "}\n"
    return out


def lower_camel(name):
    """SQLDatabase -> sqlDatabase, HTTPHandler -> httpHandler, Ledger -> ledger."""
    upper = 0
    while upper < len(name) and name[upper].isupper():
        upper += 1
    if upper <= 1:
        return lower_first(name)
    if upper == len(name):
        return name.lower()
    return name[: upper - 1].lower() + name[upper - 1 :]


def main():
    image = json.load(open(sys.argv[1]))
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.swift"):
        old.unlink()
    names = Names(image)
    for file in image["file"]:
        notes = comments_of(file)
        for position, service in enumerate(file.get("service", [])):
            swift = names.service(file["package"], service["name"])
            text = f"// Generated by PluginAPI/Contracts/generate from {file['name']}. Do not edit.\n"
            text += "// SPDX-License-Identifier: Apache-2.0\n\npublic import TheatreContracts\n\n"
            text += service_source(names, file, position, service, notes)
            (folder / f"{swift}.swift").write_text(text)


main()
