// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// The system calls a plugin may make. Everything else fails with EPERM, and nothing ends the process, so that a library
// which tries something finds out and goes on.

#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif
#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif

static const int allowed[] = {
    /* memory */
    SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mincore, SYS_msync, SYS_mlock, SYS_munlock, SYS_membarrier,
    SYS_get_mempolicy,
    /* threads and time */
    SYS_futex, SYS_exit, SYS_exit_group, SYS_gettid, SYS_getpid, SYS_getppid, SYS_set_robust_list,
    SYS_get_robust_list, SYS_rseq, SYS_set_tid_address, SYS_sched_yield, SYS_sched_getaffinity,
    SYS_sched_setaffinity, SYS_sched_getparam, SYS_sched_getscheduler, SYS_sched_setscheduler, SYS_sched_setattr,
    SYS_sched_get_priority_max, SYS_sched_get_priority_min, SYS_getpriority, SYS_setpriority, SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday, SYS_restart_syscall, SYS_getcpu, SYS_times,
    SYS_getrusage, SYS_getrandom, SYS_sysinfo, SYS_uname, SYS_getrlimit, SYS_capget,
    /* signals, within the process */
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigpending, SYS_rt_sigtimedwait, SYS_sigaltstack,
    /* descriptors */
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_close,
    SYS_close_range, SYS_dup, SYS_dup3, SYS_fcntl, SYS_lseek, SYS_fstat, SYS_pipe2, SYS_eventfd2, SYS_ppoll,
    SYS_pselect6, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_timerfd_create, SYS_timerfd_settime,
    SYS_timerfd_gettime,
    /* files: which, the view and Landlock say */
    SYS_openat, SYS_newfstatat, SYS_statx, SYS_faccessat, SYS_readlinkat, SYS_getdents64, SYS_getcwd, SYS_statfs,
    SYS_fstatfs, SYS_fsync, SYS_fdatasync, SYS_sync_file_range, SYS_ftruncate, SYS_truncate, SYS_fallocate,
    SYS_fadvise64, SYS_flock, SYS_mkdirat, SYS_unlinkat, SYS_renameat, SYS_linkat, SYS_fchmod, SYS_fchmodat,
    SYS_fchown, SYS_utimensat, SYS_umask, SYS_copy_file_range, SYS_sendfile,
    /* the user it is */
    SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getpgid, SYS_getsid, SYS_getgroups,
    /* sockets it was handed */
    SYS_recvmsg, SYS_recvfrom, SYS_shutdown, SYS_getsockopt, SYS_setsockopt, SYS_getsockname,
    SYS_getpeername,
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
#ifdef SYS_renameat2
    SYS_renameat2,
#endif
#ifdef SYS_open
    SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_unlink, SYS_rename, SYS_mkdir, SYS_rmdir, SYS_link,
    SYS_poll, SYS_select, SYS_epoll_wait, SYS_epoll_create, SYS_pipe, SYS_dup2, SYS_eventfd, SYS_time, SYS_chmod,
    SYS_arch_prctl, SYS_utimes, SYS_getdents, SYS_creat,
#endif
};

#define ALLOWED (sizeof allowed / sizeof *allowed)
#define LOW(argument) (offsetof(struct seccomp_data, args) + 8 * (argument))
#define MAY BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define FAILS(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
/* Skips `count` instructions where the number is another. */
#define UNLESS(number, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, count)
/* Skips the next where any of the bits is set. */
#define IF_ANY(bits) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0)

/* Threads, not processes. clone3 hides its flags, so the C library is told that there is none. */
static const struct sock_filter rules_of_threads[] = {
    UNLESS(SYS_clone3, 1), FAILS(ENOSYS),
    UNLESS(SYS_clone, 4), LOAD(LOW(0)), IF_ANY(CLONE_THREAD), FAILS(EPERM), MAY,
};

/* Memory that is written and run at once is refused. */
#define RULE_OF_MEMORY(number)                                                                                \
    UNLESS(number, 5), LOAD(LOW(2)), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, PROT_WRITE | PROT_EXEC),              \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROT_WRITE | PROT_EXEC, 0, 1), FAILS(EPERM), MAY
static const struct sock_filter rules_of_memory[] = {RULE_OF_MEMORY(SYS_mmap), RULE_OF_MEMORY(SYS_mprotect)};

/* Names of threads only; other threads of this process only; limits are read and not set; a descriptor is not told to
 * push bytes into a terminal. */
static struct sock_filter rules_of_self[] = {
    UNLESS(SYS_prctl, 5), LOAD(LOW(0)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_NAME, 2, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_GET_NAME, 1, 0), FAILS(EPERM), MAY,
    UNLESS(SYS_tgkill, 4), LOAD(LOW(0)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0 /* own process */, 1, 0), FAILS(EPERM),
    MAY,
    UNLESS(SYS_prlimit64, 4), LOAD(LOW(2)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), FAILS(EPERM), MAY,
    UNLESS(SYS_ioctl, 4), LOAD(LOW(1)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x541B /* FIONREAD */, 1, 0), FAILS(ENOTTY),
    MAY,
};
#define OWN_PROCESS 8

/* Bytes go out on sockets that are connected: no address, no connection on the way. */
static const struct sock_filter rules_of_sockets[] = {
    UNLESS(SYS_sendto, 6), LOAD(LOW(4)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2), LOAD(LOW(4) + 4),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), FAILS(EPERM), MAY,
    UNLESS(SYS_sendmsg, 4), LOAD(LOW(2)), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MSG_FASTOPEN, 0, 1), FAILS(EPERM), MAY,
};

/* With a grant to connect: stream sockets may be made, which those that the host dials replace. */
static const struct sock_filter rules_of_connecting[] = {
    UNLESS(SYS_socket, 8), LOAD(LOW(0)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 3), LOAD(LOW(1)), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 15),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 1, 0), FAILS(EPERM), MAY,
};

typedef struct program {
    struct sock_filter code[512];
    unsigned short size;
} program;

static void add(program *program, const struct sock_filter *code, size_t count) {
    for (size_t i = 0; i < count; i++) program->code[program->size++] = code[i];
}
#define ADD(program, code) add(program, code, sizeof(code) / sizeof *(code))

static void write_program(program *program, int may_connect) {
    const struct sock_filter start[] = {
        LOAD(offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        FAILS(EPERM),
        LOAD(offsetof(struct seccomp_data, nr)),
    };
    ADD(program, start);
    ADD(program, rules_of_sockets); /* first: every frame passes here */
    for (size_t i = 0; i < ALLOWED; i++) {
        const struct sock_filter one[] = {UNLESS((unsigned)allowed[i], 1), MAY};
        ADD(program, one);
    }
    rules_of_self[OWN_PROCESS].k = (unsigned)getpid();
    ADD(program, rules_of_threads);
    ADD(program, rules_of_memory);
    ADD(program, rules_of_self);
    if (may_connect) ADD(program, rules_of_connecting);
    const struct sock_filter rest[] = {FAILS(EPERM)};
    ADD(program, rest);
}

int guard_system_calls(int may_connect) {
    static program program;
    write_program(&program, may_connect);
    const struct sock_fprog filter = {.len = program.size, .filter = program.code};
    long failed = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
    return failed == 0 ? 0 : failed > 0 ? EBUSY : errno;
}
