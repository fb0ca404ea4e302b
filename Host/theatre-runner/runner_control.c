// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// The steps of the instance's life, on the process's first thread.

#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

/* What the plugin was given at create; it lives as long as the process. */
static theatre_create created_with;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* The next step + 1; 0 where there is none. */
static uint32_t waiting;

static theatre_bytes keep(theatre_bytes bytes) {
    uint8_t *copy = malloc(bytes.size + 1);
    if (copy == NULL) runner_end("there is no memory");
    if (bytes.size > 0) memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = 0;
    return (theatre_bytes){copy, bytes.size};
}

static void keep_create(const theatre_frame *frame) {
    created_with = (theatre_create){.struct_size = sizeof created_with,
                                    .generation = (uint32_t)frame->numbers[0],
                                    .instance = keep(frame->parts[0]),
                                    .configuration = keep(frame->parts[1]),
                                    .environment = keep(frame->parts[2]),
                                    .manifest = keep(frame->parts[3])};
    atomic_store(&the_runner.offset, frame->numbers[1]);
    the_runner.message_limit = frame->numbers[2];
    theatre_bytes calls = keep(frame->parts[4]);
    the_runner.call_flags = (uint8_t *)calls.data;
    the_runner.call_count = (uint32_t)calls.size;
}

void runner_control_add(const theatre_frame *frame) {
    uint32_t step = frame->type == THEATRE_FRAME_CREATE ? THEATRE_STEP_CREATE : (uint32_t)frame->numbers[0];
    if (step > THEATRE_STEP_DESTROY || (frame->type == THEATRE_FRAME_CONTROL && step == THEATRE_STEP_CREATE))
        runner_end("the host asked for what is no step");
    pthread_mutex_lock(&lock);
    if (waiting != 0) runner_end("the host asked for two steps at once");
    if (step == THEATRE_STEP_CREATE) {
        if (created_with.struct_size != 0) runner_end("the host asked for create twice");
        keep_create(frame);
    }
    waiting = step + 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static theatre_code create(theatre_error *error) {
    const theatre_plugin *plugin = the_runner.plugin;
    theatre_bytes manifest = created_with.manifest;
    if (plugin->manifest.size != manifest.size || memcmp(plugin->manifest.data, manifest.data, manifest.size) != 0) {
        error->reason = runner_text("plugin.lies");
        error->message = runner_text("Its table has another manifest than its file.");
        return THEATRE_FAILED_PRECONDITION;
    }
    theatre_instance *instance = NULL;
    theatre_code code = plugin->create(&the_runner.host, &created_with, &instance, error);
    if (code != THEATRE_OK) return code;
    static theatre_instance table;
    if (instance != NULL && instance->struct_size < THEATRE_INSTANCE_SIZE_0) {
        error->reason = runner_text("plugin.malformed_instance");
        error->message = runner_text("The instance's table is shorter than revision 0's.");
        return THEATRE_INTERNAL;
    }
    if (instance != NULL)
        memcpy(&table, instance, instance->struct_size < sizeof table ? instance->struct_size : sizeof table);
    if (table.invoke == NULL || table.reply == NULL) {
        error->reason = runner_text("plugin.malformed_instance");
        error->message = runner_text("The instance's table lacks invoke or reply; a plugin fills in both.");
        return THEATRE_INTERNAL;
    }
    the_runner.instance = &table;
    atomic_store_explicit(&the_runner.is_created, 1, memory_order_release);
    return THEATRE_OK;
}

static theatre_code run(uint32_t step, theatre_error *error) {
    const theatre_instance *instance = the_runner.instance;
    if (step == THEATRE_STEP_CREATE) return create(error);
    if (instance == NULL) return THEATRE_FAILED_PRECONDITION;
    switch (step) {
    case THEATRE_STEP_ACTIVATE: return instance->activate ? instance->activate(instance->self, error) : THEATRE_OK;
    case THEATRE_STEP_SELF_TEST: return instance->self_test ? instance->self_test(instance->self, error) : THEATRE_OK;
    case THEATRE_STEP_DEACTIVATE:
        if (instance->deactivate) instance->deactivate(instance->self);
        return THEATRE_OK;
    default:
        if (instance->destroy) instance->destroy(instance->self);
        return THEATRE_OK;
    }
}

static void answer(uint32_t step, theatre_code code, const theatre_error *error) {
    theatre_frame frame = {.type = THEATRE_FRAME_DONE, .numbers = {step, (uint32_t)code}};
    if (code != THEATRE_OK) {
        frame.numbers[2] = error->effect;
        frame.numbers[3] = error->retry;
        frame.numbers[4] = error->retry_after_ms;
        frame.parts[0] = error->reason;
        frame.parts[1] = error->message;
        frame.parts[2] = error->detail;
        for (int i = 0; i < 3; i++) {
            if (frame.parts[i].data == NULL) frame.parts[i].size = 0;
            if (frame.parts[i].size > 1600) frame.parts[i].size = 1600;
        }
    }
    runner_put(&frame);
}

void runner_control(void) {
    for (;;) {
        pthread_mutex_lock(&lock);
        while (waiting == 0) pthread_cond_wait(&changed, &lock);
        uint32_t step = waiting - 1;
        pthread_mutex_unlock(&lock);
        theatre_error error = {.struct_size = sizeof error};
        theatre_code code = run(step, &error);
        pthread_mutex_lock(&lock);
        waiting = 0;
        pthread_mutex_unlock(&lock);
        answer(step, code, &error);
    }
}
