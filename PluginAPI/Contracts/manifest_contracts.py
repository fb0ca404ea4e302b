# TheatreOS
# SPDX-License-Identifier: Apache-2.0
"""Prints the buf flags that select the contract files a manifest speaks: what it provides, needs and routes."""
import json
import sys

image = json.load(open(sys.argv[1]))
manifest = json.load(open(sys.argv[2]))
files = {f"{f['package']}.{s['name']}": f["name"] for f in image["file"] for s in f.get("service", [])}
capabilities = {p["capability"] for p in manifest.get("provides", [])}
capabilities |= {n["capability"] for n in manifest.get("needs", [])}
capabilities |= {c.split("/")[0] for c in manifest.get("calls", []) if c.startswith("theatre.")}
unknown = sorted(c for c in capabilities if c not in files)
if unknown:
    sys.exit(f"{sys.argv[2]}: no contract is named {', '.join(unknown)}")
chosen = {files[c] for c in capabilities} | {"theatre/options/v1/options.proto"}
print(" ".join(f"--path PluginAPI/Contracts/{name}" for name in sorted(chosen)))
