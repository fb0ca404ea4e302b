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

/* The table agrees with what the host read from the file. */
static void check(const theatre_plugin *plugin, theatre_bytes name) {
    static const char *const fix = "build the library and its manifest together";
    if (plugin->struct_size < sizeof(theatre_plugin))
        runner_fail("plugin.lies", "a table as large as this revision's", "a smaller one", fix);
    if (plugin->abi_major != THEATRE_ABI_MAJOR)
        runner_fail("plugin.lies", "the ABI major of the manifest", "another", fix);
    if (!is(plugin->name, name)) runner_fail("plugin.lies", "the name of the manifest", "another", fix);
    if (plugin->create == NULL) runner_fail("plugin.lies", "a create function, as the manifest says", "null", fix);
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
