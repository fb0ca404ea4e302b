# TheatreOS
# SPDX-License-Identifier: Apache-2.0
"""Verifies access tokens as a stranger does, with PyJWT and the published key set.

verify_tokens.py URL ISSUER AUDIENCE [TOKEN...]: prints {"keys": [kid...], "tokens": [{"kid", "sub"} or {"error"}...]}.
"""
import json
import sys
import urllib.request

import jwt

url, issuer, audience, *tokens = sys.argv[1:]
with urllib.request.urlopen(url, timeout=60) as answer:
    document = json.load(answer)
    assert answer.headers["Content-Type"].startswith("application/jwk-set+json"), answer.headers
for key in document["keys"]:
    assert not {"d", "p", "q", "k"} & set(key), "a private half is published"
keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(document).keys}


def verify(token):
    header = jwt.get_unverified_header(token)
    if header["kid"] not in keys:
        return {"error": "unknown key"}
    try:
        # The test moves the issuer's clock.
        claims = jwt.decode(
            token, keys[header["kid"]].key, algorithms=["ES256", "EdDSA"], issuer=issuer, audience=audience,
            leeway=3600)
    except jwt.PyJWTError as error:
        return {"error": str(error)}
    return {"kid": header["kid"], "sub": claims["sub"]}


print(json.dumps({"keys": list(keys), "tokens": [verify(token) for token in tokens]}))
