// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "theatre_image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int theatre_image_seal(const char *name, const uint8_t *data, uint64_t size) {
    int descriptor = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0) return -errno;
    uint64_t written = 0;
    while (written < size) {
        ssize_t count = write(descriptor, data + written, size - written);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            int error = count < 0 ? errno : EIO;
            close(descriptor);
            return -error;
        }
        written += (uint64_t)count;
    }
    if (fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
        int error = errno;
        close(descriptor);
        return -error;
    }
    return descriptor;
}

struct search {
    uintptr_t address;
    uint8_t *buffer;
    uint64_t capacity;
    uint64_t length;
};

static void read_notes(const uint8_t *note, uint64_t size, struct search *search) {
    while (size >= sizeof(Elf64_Nhdr)) {
        const Elf64_Nhdr *header = (const Elf64_Nhdr *)note;
        uint64_t name = ((uint64_t)header->n_namesz + 3) & ~3ull, value = ((uint64_t)header->n_descsz + 3) & ~3ull;
        if (sizeof(*header) + name + value > size) return;
        const uint8_t *owner = note + sizeof(*header);
        if (header->n_type == NT_GNU_BUILD_ID && header->n_namesz == 4 && memcmp(owner, "GNU", 4) == 0) {
            uint64_t length = header->n_descsz < search->capacity ? header->n_descsz : search->capacity;
            memcpy(search->buffer, owner + name, length);
            search->length = length;
            return;
        }
        note += sizeof(*header) + name + value;
        size -= sizeof(*header) + name + value;
    }
}

static int visit(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    struct search *search = context;
    int maps = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const Elf64_Phdr *header = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && search->address >= start && search->address < start + header->p_memsz) maps = 1;
    }
    if (!maps) return 0;
    for (int i = 0; i < info->dlpi_phnum && search->length == 0; i++) {
        const Elf64_Phdr *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_NOTE)
            read_notes((const uint8_t *)(info->dlpi_addr + header->p_vaddr), header->p_memsz, search);
    }
    return 1;
}

uint64_t theatre_image_build_id(const void *address, uint8_t *buffer, uint64_t capacity) {
    struct search search = {(uintptr_t)address, buffer, capacity, 0};
    dl_iterate_phdr(visit, &search);
    return search.length;
}
