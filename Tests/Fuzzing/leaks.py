# TheatreOS
# SPDX-License-Identifier: Apache-2.0
"""A check of its own: no answer tells of what is inside."""

import re

import schemathesis

INSIDE = re.compile(
    rb"\.swift\b|/home/|/root/|/work/|/tmp/|\.build/|SQLITE_|sqlite3|libpq|PG::|no such (table|column)|syntax error (at|near)"
    rb"|SELECT .* FROM |INSERT INTO |Fatal error|Traceback|stack trace|0x[0-9a-f]{12}"
)


@schemathesis.check
def nothing_is_leaked(ctx, response, case):
    found = INSIDE.search(response.content)
    if found:
        sent = (case.body if isinstance(case.body, bytes) else repr(case.body).encode("utf-8", "replace"))
        if found.group() not in sent:
            raise AssertionError(f"the answer tells of what is inside: {found.group()[:80]!r}")
