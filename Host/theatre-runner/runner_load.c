// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "runner.h"

#define STRING_OF(x) #x
#define STRING(x) STRING_OF(x)

static int is(theatre_bytes bytes, theatre_bytes other) {
    return bytes.size == other.size && memcmp(bytes.data, other.data, other.size) == 0;
}

static void lies(const char *expected, const char *found) {
    runner_fail("plugin.lies", expected, found, "build the library, its manifest and its contracts together");
}

/* The table agrees with what the host read from the file. */
static void check(const theatre_plugin *plugin, theatre_bytes name) {
    char expected[300], found[300];
    if (plugin->struct_size < THEATRE_PLUGIN_SIZE_0) {
        snprintf(expected, sizeof expected, "a table of at least %d bytes, as revision 0 has", (int)THEATRE_PLUGIN_SIZE_0);
        snprintf(found, sizeof found, "one of %u bytes", plugin->struct_size);
        lies(expected, found);
    }
    if (plugin->abi_major != THEATRE_ABI_MAJOR) {
        snprintf(expected, sizeof expected, "ABI major %d, as the manifest says", (int)THEATRE_ABI_MAJOR);
        snprintf(found, sizeof found, "%u", plugin->abi_major);
        lies(expected, found);
    }
    if (plugin->min_host_revision > THEATRE_ABI_REVISION) {
        snprintf(expected, sizeof expected, "a table that does with host revision %d, as the manifest says",
                 (int)THEATRE_ABI_REVISION);
        snprintf(found, sizeof found, "it needs revision %u", plugin->min_host_revision);
        lies(expected, found);
    }
    if (!is(plugin->name, name)) {
        snprintf(expected, sizeof expected, "name %.*s, as the manifest says", (int)(name.size < 200 ? name.size : 200),
                 name.data);
        snprintf(found, sizeof found, "%.*s", (int)(plugin->name.size < 200 ? plugin->name.size : 200),
                 plugin->name.data);
        lies(expected, found);
    }
    if (plugin->create == NULL) lies("a create function", "null");
}

void runner_load(theatre_bytes name) {
    char path[64], symbol[256];
    snprintf(path, sizeof path, "/proc/self/fd/%d", RUNNER_LIBRARY);
    snprintf(symbol, sizeof symbol, "%s%.*s", THEATRE_ENTRY_PREFIX, (int)(name.size < 200 ? name.size : 200), name.data);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *reason = dlerror();
        runner_fail("plugin.load", "a library the loader accepts", reason ? reason : "no reason",
                    "install the libraries it links");
    }
    theatre_plugin_entry entry = NULL;
    *(void **)&entry = dlsym(library, symbol);
    const theatre_plugin *plugin = entry ? entry() : NULL;
    if (plugin == NULL) {
        char expected[300];
        snprintf(expected, sizeof expected, "the symbol %s", symbol);
        runner_fail("plugin.no_entry", expected, "none, or one that returned null", "declare THEATRE_PLUGIN in it");
    }
    check(plugin, name);
    the_runner.plugin = plugin;
}
