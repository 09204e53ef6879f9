/* A diary of the disk: loaded with LD_PRELOAD, it writes down, in order, what a process does to the
 * files in $DIARY_FOLDER, so that disk.py can tell what a loss of power would have left of them.
 *
 * A record is a letter, the file's number, an offset, a length and so many bytes:
 *   C created (name)   O found there (name)   U unlinked (name)   W written   T truncated (offset)
 *   S synced           F not synced: an error D the folder was synced
 *
 * fsync itself is left out: what it promises is what disk.py makes of S. While $DIARY_FAULT holds
 * "write 28" or "fsync 5", that call on a database's file fails with that errno. The shared memory
 * beside a WAL is mapped, and nobody needs it after a loss of power. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FDS = 4096, FILES = 1024, NAME = 64, FOLDER = -1 };

struct __attribute__((packed)) record {
    char what;
    int32_t file;
    int64_t offset;
    int32_t length;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int file_of[FDS]; /* 0: not ours */
static char names[FILES][NAME]; /* empty: unlinked */
static int files;
static int diary = -1;

#define REAL(type, name, ...)                                                                      \
    static type (*real)(__VA_ARGS__);                                                              \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static void note(char what, int file, int64_t offset, const void *bytes, size_t length) {
    struct record head = {what, file, offset, (int32_t)length};
    struct iovec both[2] = {{&head, sizeof head}, {(void *)bytes, length}};
    if (diary < 0)
        diary = (int)syscall(SYS_openat, AT_FDCWD, getenv("DIARY"),
                             O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (syscall(SYS_writev, diary, both, 2) != (long)(sizeof head + length)) abort();
}

/* The name in our folder; "" is the folder itself, NULL somebody else's. */
static const char *ours(const char *path) {
    const char *folder = getenv("DIARY_FOLDER");
    size_t length = folder ? strlen(folder) : 0;
    if (!length || strncmp(path, folder, length)) return NULL;
    if (!path[length]) return "";
    const char *name = path + length + 1;
    size_t size = strlen(name);
    if (path[length] != '/' || strchr(name, '/') || size >= NAME) return NULL;
    return size > 4 && !strcmp(name + size - 4, "-shm") ? NULL : name;
}

static int number_of(const char *name) {
    for (int file = files; file > 0; file--)
        if (!strcmp(names[file], name)) return file;
    return 0;
}

static int fails(int file, const char *call) {
    char told[32] = "";
    const char *path = getenv("DIARY_FAULT");
    if (!path || strncmp(names[file], "bridge.db", 9)) return 0;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    long got = syscall(SYS_read, fd, told, sizeof told - 1);
    syscall(SYS_close, fd);
    size_t length = strlen(call);
    if (got <= 0 || strncmp(told, call, length)) return 0;
    errno = atoi(told + length);
    return 1;
}

static int opened(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode) {
    const char *name = ours(path);
    if (!name) return real(path, flags, mode);
    pthread_mutex_lock(&lock);
    int was_there = !access(path, F_OK);
    int fd = real(path, flags, mode);
    if (fd >= FDS) abort();
    if (fd >= 0 && !*name) file_of[fd] = FOLDER;
    if (fd >= 0 && *name) {
        if (!(file_of[fd] = number_of(name))) {
            if (++files >= FILES) abort();
            strcpy(names[files], name);
            note(was_there ? 'O' : 'C', files, 0, name, strlen(name));
            file_of[fd] = files;
        }
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        REAL(int, #name, const char *, int, ...);                                                  \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                    \
        va_end(rest);                                                                              \
        return opened(real, path, flags, mode);                                                    \
    }
OPEN(open)
OPEN(open64)

static int watched(int fd) { return fd >= 0 && fd < FDS ? file_of[fd] : 0; }

int close(int fd) {
    REAL(int, "close", int);
    if (watched(fd)) {
        pthread_mutex_lock(&lock);
        file_of[fd] = 0;
        pthread_mutex_unlock(&lock);
    }
    return real(fd);
}

#define PWRITE(name)                                                                               \
    ssize_t name(int fd, const void *bytes, size_t length, off64_t offset) {                       \
        REAL(ssize_t, #name, int, const void *, size_t, off64_t);                                  \
        int file = watched(fd);                                                                    \
        if (file <= 0) return real(fd, bytes, length, offset);                                     \
        pthread_mutex_lock(&lock);                                                                 \
        ssize_t done = fails(file, "write ") ? -1 : real(fd, bytes, length, offset);               \
        if (done > 0) note('W', file, offset, bytes, (size_t)done);                                \
        pthread_mutex_unlock(&lock);                                                               \
        return done;                                                                               \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t write(int fd, const void *bytes, size_t length) {
    REAL(ssize_t, "write", int, const void *, size_t);
    int file = watched(fd);
    if (file <= 0) return real(fd, bytes, length);
    pthread_mutex_lock(&lock);
    ssize_t done = fails(file, "write ") ? -1 : real(fd, bytes, length);
    if (done > 0) note('W', file, lseek(fd, 0, SEEK_CUR) - done, bytes, (size_t)done);
    pthread_mutex_unlock(&lock);
    return done;
}

#define TRUNCATE(name)                                                                             \
    int name(int fd, off64_t size) {                                                               \
        REAL(int, #name, int, off64_t);                                                            \
        int file = watched(fd);                                                                    \
        if (file <= 0) return real(fd, size);                                                      \
        pthread_mutex_lock(&lock);                                                                 \
        int done = real(fd, size);                                                                 \
        if (!done) note('T', file, size, "", 0);                                                   \
        pthread_mutex_unlock(&lock);                                                               \
        return done;                                                                               \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define SYNC(name)                                                                                 \
    int name(int fd) {                                                                             \
        REAL(int, #name, int);                                                                     \
        int file = watched(fd);                                                                    \
        if (!file) return real(fd);                                                                \
        pthread_mutex_lock(&lock);                                                                 \
        int failed = file > 0 && fails(file, "fsync ");                                            \
        note(file == FOLDER ? 'D' : failed ? 'F' : 'S', file, 0, "", 0);                           \
        pthread_mutex_unlock(&lock);                                                               \
        return -failed;                                                                            \
    }
SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    const char *name = ours(path);
    if (!name || !*name) return real(path);
    pthread_mutex_lock(&lock);
    int done = real(path);
    int file = number_of(name);
    if (!done && file) {
        note('U', file, 0, name, strlen(name));
        names[file][0] = 0;
    }
    pthread_mutex_unlock(&lock);
    return done;
}
