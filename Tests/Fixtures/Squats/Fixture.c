// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(Squats, "1.0.0")

/* Where it notes that it runs; it comes up only where it finds no such note, and takes it away in destroy alone. */
static char note[512];

/* Field 4 of theatre.host.v1.Environment: its state folder. */
static void find_note(theatre_bytes environment) {
    const uint8_t *at = environment.data, *end = at + environment.size;
    uint64_t tag, value;
    while (at && at < end && (at = fixture_varint(at, end, &tag)) && (at = fixture_varint(at, end, &value))) {
        if ((tag & 7) != 2) continue;
        if (tag >> 3 == 4) snprintf(note, sizeof note, "%.*s/running", (int)value, (const char *)at);
        at += value;
    }
}

static void leave(void *self) {
    unlink(note);
    free(self);
}

theatre_code theatre_create_Squats(const theatre_host *host, const theatre_create *create, theatre_instance **instance,
                                   theatre_error *error) {
    find_note(create->environment);
    int file = open(note, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0)
        return fixture_fail(error, THEATRE_FAILED_PRECONDITION, "fixture.runs_already", "It runs already, it believes.");
    close(file);
    theatre_code code = fixture_make(host, instance, error, fixture_is_well, fixture_serves);
    if (code == THEATRE_OK) (*instance)->destroy = leave;
    return code;
}
