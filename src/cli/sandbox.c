/* sandbox.c: landlock for files, seccomp for calls, prctl for the rest.
 *
 * Calls are denied in two ways. What nothing in the process has any business with (execve, ptrace,
 * socket, connect, mount, ...) is not on the list and kills. What libraries try and can do without
 * (clone3, memory that may be executed, an unknown ioctl or prctl) fails with an error.
 *
 * fork is clone without CLONE_THREAD, and kills; clone3 hides its flags from a filter, so it is
 * ENOSYS, after which the C library takes clone. */
#include "cli/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/hook.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

/* Notes what cannot be had. The caller goes on unless it is required. */
static enum status missing(struct sandbox *sandbox, const char *what, int error)
{
    size_t used = strlen(sandbox->message);

    snprintf(sandbox->message + used, sizeof sandbox->message - used, "%s%s: %s",
             used > 0 ? "; " : "", what, strerror(error));
    return sandbox->required ? STATUS_BADCONFIG : STATUS_OK;
}

/* --- privileges --------------------------------------------------------------------------------
 */

#define LOW_PORTS_END 1024 /* below it a port needs CAP_NET_BIND_SERVICE */

static bool is_low_port(const char *address)
{
    char host[CONFIG_TEXT];
    uint16_t port;

    return config_address(address, host, &port) && port > 0 && port < LOW_PORTS_END;
}

static int set_capabilities(uint64_t kept)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct now[2] = {{0}, {0}};
    bool some = false;

    if (syscall(SYS_capget, &head, now) != 0)
        return errno;
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t mask = (uint32_t)(kept >> (32 * i));

        some = some || ((now[i].permitted | now[i].inheritable) & ~mask) != 0;
        now[i].permitted &= mask;
        now[i].effective &= mask;
        now[i].inheritable = 0;
    }
    if (!some)
        return 0; /* systemd's filter does not even let us ask */
    return syscall(SYS_capset, &head, now) == 0 ? 0 : errno;
}

static enum status drop_privileges(struct sandbox *sandbox, const struct config *config)
{
    struct rlimit none = {0, 0};
    uint64_t kept = 0;
    int error = 0;

    if (is_low_port(config->resp) || is_low_port(config->http) || is_low_port(config->admin_resp) ||
        is_low_port(config->admin_http))
        kept = 1ULL << CAP_NET_BIND_SERVICE;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        error = errno;
    /* A core holds keys and who liked what; a dump into a pipe ignores the limit. */
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        error = errno;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (unsigned long capability = 0; capability < 64; capability++)
        prctl(PR_CAPBSET_DROP, capability, 0, 0,
              0); /* may not, or there is none: the set is what counts */
    if (error == 0)
        error = set_capabilities(kept);
    sandbox->privileges = error == 0;
    return error == 0 ? STATUS_OK : missing(sandbox, "privileges stay", error);
}

/* --- files -------------------------------------------------------------------------------------
 */

/* Newer than the headers of Debian 12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#define ACCESS_FS_IOCTL_DEV    (1ULL << 15)
#define ACCESS_NET_CONNECT_TCP (1ULL << 1)
#define SCOPE_SIGNAL           (1ULL << 1)

/* As the kernel reads it; fields are only ever added at the end. */
struct ruleset {
    uint64_t files, net, scope;
};

#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ALL_OF_1                                                                                   \
    (READS | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                          \
     LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                              \
     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |    \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | \
     LANDLOCK_ACCESS_FS_MAKE_SYM)
/* What the node does in its own directories. */
#define OWN                                                                                        \
    (READS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                       \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |  \
     LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_TRUNCATE)

struct landlock {
    int fd;
    uint64_t handled;
};

/* Everything the kernel knows to forbid is forbidden. Version 1 cannot allow what RocksDB does (a
 * file moved into another directory), so 2 (Linux 5.19) is the least. */
static int landlock_begin(struct landlock *landlock)
{
    struct ruleset rules = {0};
    size_t size = sizeof rules.files;
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    if (version < 0)
        return errno;
    if (version < 2)
        return EOPNOTSUPP;
    rules.files = ALL_OF_1 | LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3)
        rules.files |= LANDLOCK_ACCESS_FS_TRUNCATE;
    if (version >= 4) { /* a node is called, it calls nobody */
        rules.net = ACCESS_NET_CONNECT_TCP;
        size = offsetof(struct ruleset, scope);
    }
    if (version >= 5)
        rules.files |= ACCESS_FS_IOCTL_DEV;
    if (version >= 6) {
        rules.scope = SCOPE_SIGNAL;
        size = sizeof rules;
    }
    landlock->handled = rules.files;
    landlock->fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    return landlock->fd >= 0 ? 0 : errno;
}

/* What is not there needs no rule: nobody can open it. */
static int landlock_allow(const struct landlock *landlock, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access & landlock->handled};
    struct stat stat;
    int error = 0;

    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : errno;
    if (fstat(rule.parent_fd, &stat) == 0 && !S_ISDIR(stat.st_mode))
        rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                               LANDLOCK_ACCESS_FS_TRUNCATE;
    if (syscall(SYS_landlock_add_rule, landlock->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        error = errno;
    close(rule.parent_fd);
    return error;
}

/* A file that is read again later is replaced by another of the same name, so it is its directory
 * that may be read; the root is too much. */
static int allow_file(const struct landlock *landlock, const char *path)
{
    char dir[CONFIG_TEXT];
    char *slash;

    snprintf(dir, sizeof dir, "%s", path);
    slash = strrchr(dir, '/');
    if (slash == dir)
        return landlock_allow(landlock, path, READS);
    if (slash == NULL)
        snprintf(dir, sizeof dir, ".");
    else
        *slash = '\0';
    return landlock_allow(landlock, dir, READS);
}

/* A directory of our own has to be there before it can be named. */
static int allow_dir(const struct landlock *landlock, const char *path)
{
    mkdir(path, 0700); /* what is wrong with it is told by who opens it */
    return landlock_allow(landlock, path, OWN);
}

/* A copy of the log whose disk is gone: the node may start without it, and what it has not seen now
 * stays closed to it until the next start. */
static bool may_be_missing(const struct config *config, const char *name)
{
    return strcmp(config->mirror, "require") != 0 &&
           (strcmp(name, "log-a") == 0 || strcmp(name, "log-b") == 0);
}

/* Settings whose form is DIR are ours to write; those that are a FILE are read. */
static int allow_settings(const struct landlock *landlock, const struct config *config)
{
    const char *name;
    char value[CONFIG_TEXT];
    int error = 0;

    for (uint32_t i = 0; error == 0 && config_get(config, i, &name, value); i++) {
        if (value[0] == '\0')
            continue;
        if (strcmp(config_items[i].form, "DIR") == 0) {
            error = allow_dir(landlock, value);
            if (may_be_missing(config, name))
                error = 0;
        } else if (strstr(config_items[i].form, "FILE") != NULL && strcmp(value, "off") != 0) {
            error = allow_file(landlock, value);
        }
    }
    return error;
}

/* What libraries look at: the number of processors, our own memory, an id, names of addresses, the
 * time zone of RocksDB's own log. */
static int allow_system(const struct landlock *landlock)
{
    static const char *const reads[] = {
        "/proc/self",
        "/proc/sys/kernel/random",
        "/sys/devices/system/cpu",
        "/sys/dev/block",
        "/sys/devices/virtual/block",
        "/etc/hosts",
        "/etc/nsswitch.conf",
        "/etc/host.conf",
        "/etc/resolv.conf",
        "/etc/services",
        "/etc/localtime",
        "/etc/ssl",
        "/etc/gai.conf",
        "/dev/urandom",
    };
    int error = landlock_allow(landlock, "/dev/null", READS | LANDLOCK_ACCESS_FS_WRITE_FILE);

    for (size_t i = 0; error == 0 && i < sizeof reads / sizeof reads[0]; i++)
        error = landlock_allow(landlock, reads[i], READS);
    return error;
}

static enum status confine_files(struct sandbox *sandbox, const struct config *config)
{
    struct landlock landlock = {.fd = -1};
    int error;

    tzset(); /* RocksDB's log has local times; the file is read once */
    error = landlock_begin(&landlock);
    if (error == 0)
        error = allow_settings(&landlock, config);
    if (error == 0)
        error = allow_system(&landlock);
    if (error == 0 && !PLANTED("cli.sandbox_no_files") &&
        syscall(SYS_landlock_restrict_self, landlock.fd, 0) != 0)
        error = errno;
    if (landlock.fd >= 0)
        close(landlock.fd);
    sandbox->files = error == 0;
    return error == 0 ? STATUS_OK : missing(sandbox, "files are not confined (landlock)", error);
}

enum status sandbox_files(struct sandbox *sandbox, const struct config *config)
{
    enum status status;

    *sandbox = (struct sandbox){0};
    sandbox->wanted = strcmp(config->sandbox, "off") != 0;
    sandbox->required = strcmp(config->sandbox, "on") == 0;
    if (!sandbox->wanted)
        return STATUS_OK;
#ifdef SANITIZED
    snprintf(sandbox->message, sizeof sandbox->message,
             "not in a build with a sanitizer, which needs calls of its own");
    return sandbox->required ? STATUS_BADCONFIG : STATUS_OK;
#endif
    status = drop_privileges(sandbox, config);
    return status == STATUS_OK ? confine_files(sandbox, config) : status;
}

/* --- calls -------------------------------------------------------------------------------------
 */

/* Names, so that one list does for every processor: a call that this one lacks is passed over. */
static const char *const allowed[] = {
    /* memory, time, waiting */
    "brk",
    "munmap",
    "mremap",
    "madvise",
    "membarrier",
    "futex",
    "futex_waitv",
    "set_robust_list",
    "get_robust_list",
    "rseq",
    "restart_syscall",
    "nanosleep",
    "clock_nanosleep",
    "clock_gettime",
    "clock_getres",
    "gettimeofday",
    "time",
    "times",
    "sched_yield",
    "sched_getaffinity",
    "getcpu",
    "getrandom",
    "exit",
    "exit_group",
    "set_tid_address",
    /* who am I */
    "getpid",
    "getppid",
    "gettid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "uname",
    "sysinfo",
    "getrusage",
    "getrlimit",
    "getpriority",
    "setpriority",
    "ioprio_set",
    "ioprio_get",
    "sched_getparam",
    "sched_getscheduler",
    /* signals */
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigtimedwait",
    "rt_sigsuspend",
    "rt_sigpending",
    "sigaltstack",
    "pause",
    /* files: landlock says which */
    "open",
    "openat",
    "close",
    "read",
    "write",
    "readv",
    "writev",
    "pread64",
    "pwrite64",
    "preadv",
    "pwritev",
    "preadv2",
    "pwritev2",
    "lseek",
    "_llseek",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "fallocate",
    "ftruncate",
    "truncate",
    "fadvise64",
    "readahead",
    "fstat",
    "stat",
    "lstat",
    "newfstatat",
    "statx",
    "statfs",
    "fstatfs",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
    "getdents64",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "rmdir",
    "flock",
    "fcntl",
    "dup",
    "dup2",
    "dup3",
    "getcwd",
    "fchmod",
    "umask",
    "copy_file_range",
    /* connections that come in through the doors that are open */
    "accept",
    "accept4",
    "recvfrom",
    "recvmsg",
    "sendto",
    "sendmsg",
    "sendfile",
    "shutdown",
    "getsockopt",
    "setsockopt",
    "getsockname",
    "getpeername",
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "eventfd2",
    "pipe",
    "pipe2",
};

static int allow_names(scmp_filter_ctx filter)
{
    int error = 0;

    for (size_t i = 0; error == 0 && i < sizeof allowed / sizeof allowed[0]; i++) {
        int number = seccomp_syscall_resolve_name(allowed[i]);

        if (number < 0) /* none here, or one with arguments packed otherwise */
            continue;
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
    }
    return error;
}

/* call is allowed if argument, under mask, is value. */
static int allow_if(scmp_filter_ctx filter, int call, unsigned argument, uint64_t mask,
                    uint64_t value)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                            SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, value));
}

/* Otherwise it fails with error: libraries can do without. */
static int deny_if_not(scmp_filter_ctx filter, int call, unsigned argument, uint64_t mask,
                       uint64_t value, int error)
{
    int bad = allow_if(filter, call, argument, mask, value);

    if (bad == 0)
        bad = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)error), call, 1,
                               SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, mask));
    return bad;
}

static int allow_threads(scmp_filter_ctx filter)
{
    uint64_t self = (uint64_t)getpid();
    int error = allow_if(filter, SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD);

    if (error == 0)
        error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (error == 0)
        error = allow_if(filter, SCMP_SYS(tgkill), 0, UINT32_MAX, self);
    if (error == 0)
        error = allow_if(filter, SCMP_SYS(kill), 0, UINT32_MAX, self);
    if (error == 0) /* the HTTP door behind TLS: between two of our own threads */
        error = allow_if(filter, SCMP_SYS(socketpair), 0, UINT32_MAX, AF_UNIX);
    if (error == 0) /* limits are read, not set: the new ones are NULL */
        error = allow_if(filter, SCMP_SYS(prlimit64), 2, UINT64_MAX, 0);
    return error;
}

static int allow_memory(scmp_filter_ctx filter)
{
    int error = deny_if_not(filter, SCMP_SYS(mmap), 2, PROT_EXEC, 0, EPERM);

    return error == 0 ? deny_if_not(filter, SCMP_SYS(mprotect), 2, PROT_EXEC, 0, EPERM) : error;
}

/* What is asked of descriptors and of the process beside reading and writing. */
static int allow_controls(scmp_filter_ctx filter)
{
    static const uint32_t ioctls[] = {FIONBIO, FIONREAD,   FIOCLEX,
                                      TCGETS,  TIOCGWINSZ, FS_IOC_GETVERSION};
    static const uint32_t prctls[] = {PR_SET_NAME, PR_GET_NAME};
    int error = 0;

    for (size_t i = 0; error == 0 && i < sizeof ioctls / sizeof ioctls[0]; i++)
        error = allow_if(filter, SCMP_SYS(ioctl), 1, UINT32_MAX, ioctls[i]);
    for (size_t i = 0; error == 0 && i < sizeof prctls / sizeof prctls[0]; i++)
        error = allow_if(filter, SCMP_SYS(prctl), 0, UINT32_MAX, prctls[i]);
    return error;
}

static int fill(scmp_filter_ctx filter)
{
    int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, !PLANTED("cli.sandbox_one_thread"));

    if (error == 0)
        error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    /* Nothing in here runs code of others, so branch prediction may stay as it was. */
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list */
    if (error == 0)
        error = allow_names(filter);
    if (error == 0)
        error = allow_threads(filter);
    if (error == 0)
        error = allow_memory(filter);
    return error == 0 ? allow_controls(filter) : error;
}

enum status sandbox_calls(struct sandbox *sandbox)
{
    scmp_filter_ctx filter;
    int error;

#ifdef SANITIZED
    return STATUS_OK;
#endif
    if (!sandbox->wanted)
        return STATUS_OK;
    filter =
        seccomp_init(PLANTED("cli.sandbox_warns") ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS);
    error = filter == NULL ? -ENOMEM : fill(filter);
    if (error == 0)
        error = seccomp_load(filter);
    seccomp_release(filter);
    sandbox->calls = error == 0;
    return error == 0 ? STATUS_OK : missing(sandbox, "calls are not confined (seccomp)", -error);
}

/* --- what must not be possible -----------------------------------------------------------------
 */

#ifdef ZAN_HOOKS
static void try_open(const char *path, int flags)
{
    int fd = open(path, flags, 0600);

    printf("forbidden: %s: %s\n", path, fd < 0 ? strerror(errno) : "opened");
    if (fd >= 0)
        close(fd);
}

void sandbox_try_forbidden(void)
{
    const char *what = getenv("ZAN_FORBIDDEN");
    static char *const none[] = {NULL};
    char *call = what != NULL ? strchr(what, ':') : NULL;

    if (what == NULL)
        return;
    if (call != NULL)
        try_open(call + 1, strncmp(what, "write:", 6) == 0 ? O_WRONLY | O_CREAT : O_RDONLY);
    else if (strcmp(what, "execve") == 0)
        execve("/bin/true", none, none);
    else if (strcmp(what, "fork") == 0)
        syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    else if (strcmp(what, "socket") == 0)
        socket(AF_INET, SOCK_STREAM, 0);
    else if (strcmp(what, "kill") == 0)
        kill(1, 0);
    else if (strcmp(what, "core") == 0)
        prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    else if (strcmp(what, "memory") == 0)
        printf("forbidden: memory: %s\n", mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
                                              ? strerror(errno)
                                              : "mapped");
    fflush(stdout);
}
#endif
