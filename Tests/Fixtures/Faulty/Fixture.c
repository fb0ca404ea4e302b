// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <fcntl.h>

#include "faulty.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(Faulty, "1.0.0")

#define FAULT_TEXT(name) #name,
static const char *const names[] = {FAULTS(FAULT_TEXT)};

/* The fault that a configuration names; fault_count where there is no such fault. */
static fault chosen(theatre_bytes configuration) {
    static const char key[] = "\"fault\":\"";
    const char *end = (const char *)configuration.data + configuration.size;
    const char *at = memmem(configuration.data, configuration.size, key, sizeof key - 1);
    if (!at) return fault_none;
    at += sizeof key - 1;
    for (int i = 0; i < fault_count; i++) {
        size_t size = strlen(names[i]);
        if ((size_t)(end - at) > size && memcmp(at, names[i], size) == 0 && at[size] == '"') return (fault)i;
    }
    return fault_count;
}

static int is_named(const theatre_create *create, const char *name) {
    return create->instance.size == strlen(name) && memcmp(create->instance.data, name, strlen(name)) == 0;
}

theatre_code theatre_create_Faulty(const theatre_host *host, const theatre_create *create, theatre_instance **instance,
                                   theatre_error *error) {
    fault fault = chosen(create->configuration);
    if (fault == fault_count)
        return fixture_fail(error, THEATRE_INVALID_ARGUMENT, "faulty.unknown", "There is no such fault.");
    if (fault == fault_create_null) return THEATRE_OK;
    if (fault == fault_second_generation_refused && create->generation > 1)
        return fixture_fail(error, THEATRE_FAILED_PRECONDITION, "faulty.alone", "There can be one of it only.");
    faulty *me = calloc(1, sizeof *me);
    if (!me) return fixture_fail(error, THEATRE_RESOURCE_EXHAUSTED, "faulty.memory", "There is no memory left.");
    me->host = host;
    me->fault = fault;
    me->generation = create->generation;
    me->is_bystander = is_named(create, "bystander");
    pthread_mutex_init(&me->lock, 0);
    faulty_fill(me);
    *instance = &me->table;
    if (fault == fault_descriptor_left) open("/dev/zero", O_RDONLY | O_CLOEXEC);
    if (fault == fault_create_leaves)
        return fixture_fail(error, THEATRE_INTERNAL, "faulty.half", "It was made, and then again it was not.");
    return THEATRE_OK;
}
