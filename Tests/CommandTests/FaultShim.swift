import FixtureSupport
import Foundation
import SystemPackage

/// Makes system calls of a `kelter` fail, sends it a signal, kills it or changes a file at a chosen
/// moment: a small library that is loaded before all others.
struct FaultShim {
  private static let source = """
    #define _GNU_SOURCE
    #include <errno.h>
    #include <fcntl.h>
    #include <signal.h>
    #include <stdatomic.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/stat.h>
    #include <sys/statvfs.h>
    #include <sys/syscall.h>
    #include <unistd.h>

    /* Whether this call is number getenv(name) or a later one, counted from 0. */
    static int is_due(const char *name, atomic_int *count) {
      const char *value = getenv(name);
      return value != NULL && atomic_fetch_add(count, 1) >= atoi(value);
    }

    static int fail(int error) {
      errno = error;
      return -1;
    }

    /* A call that changes or reads something: its letter goes to the file SHIM_EVENTS. The process
       is killed at number SHIM_KILL_AT of those whose letters are in SHIM_KILL_IN, or of all. */
    static int is_last(char letter) {
      static atomic_int events;
      const char *log = getenv("SHIM_EVENTS");
      if (log != NULL) {
        int file = open(log, O_WRONLY | O_APPEND | O_CREAT, 0644);
        syscall(SYS_write, file, &letter, 1);
        syscall(SYS_close, file);
      }
      const char *letters = getenv("SHIM_KILL_IN");
      if (letters != NULL && strchr(letters, letter) == NULL) return 0;
      return is_due("SHIM_KILL_AT", &events);
    }
    static void die(void) {
      syscall(SYS_kill, getpid(), SIGKILL);
      for (;;) pause();
    }

    ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
      static atomic_int failures, signals, sent, changes, changed;
      if (is_last('w')) {
        /* Torn: only the first half arrives. */
        if (getenv("SHIM_TORN")) syscall(SYS_pwrite64, file, bytes, count / 2, offset);
        die();
      }
      if (is_due("SHIM_CHANGE_AT", &changes) && !atomic_exchange(&changed, 1)) {
        utimensat(AT_FDCWD, getenv("SHIM_CHANGE"), NULL, 0);
        if (getenv("SHIM_CUT")) truncate(getenv("SHIM_CHANGE"), atoi(getenv("SHIM_CUT")));
      }
      if (is_due("SHIM_ENOSPC", &failures)) return fail(ENOSPC);
      const char *wanted = getenv("SHIM_DIRECT");
      if (wanted != NULL && fcntl(file, F_GETFL) & O_DIRECT) {
        /* "refused", or how many bytes are written of each piece. */
        if (strcmp(wanted, "refused") == 0) return fail(EINVAL);
        if (count > (size_t)atoi(wanted)) count = atoi(wanted);
      }
      if (is_due("SHIM_SIGNAL_AT", &signals) && !atomic_exchange(&sent, 1))
        kill(getpid(), atoi(getenv("SHIM_SIGNAL")));
      return syscall(SYS_pwrite64, file, bytes, count, offset);
    }
    ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
      return pwrite64(file, bytes, count, offset);
    }

    ssize_t pread64(int file, void *bytes, size_t count, off64_t offset) {
      static atomic_int failures, signals, sent;
      if (is_last('r')) die();
      if (is_due("SHIM_EIO", &failures)) return fail(EIO);
      if (is_due("SHIM_SIGNAL_AT_READ", &signals) && !atomic_exchange(&sent, 1))
        kill(getpid(), atoi(getenv("SHIM_SIGNAL")));
      return syscall(SYS_pread64, file, bytes, count, offset);
    }
    ssize_t pread(int file, void *bytes, size_t count, off_t offset) {
      return pread64(file, bytes, count, offset);
    }

    int fsync(int file) {
      static atomic_int failures;
      if (is_last('s')) die();
      if (is_due("SHIM_FSYNC", &failures)) return fail(EIO);
      return syscall(SYS_fsync, file);
    }

    int fdatasync(int file) {
      static atomic_int failures;
      if (is_last('d')) die();
      if (is_due("SHIM_FDATASYNC", &failures)) return fail(EIO);
      return syscall(SYS_fdatasync, file);
    }

    int ftruncate64(int file, off64_t count) {
      if (is_last('t')) die();
      return syscall(SYS_ftruncate, file, count);
    }
    int ftruncate(int file, off_t count) { return ftruncate64(file, count); }

    int linkat(int a, const char *from, int b, const char *to, int flags) {
      if (is_last('l')) die();
      return syscall(SYS_linkat, a, from, b, to, flags);
    }
    int rename(const char *from, const char *to) {
      if (is_last('n')) die();
      return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    }
    int unlinkat(int folder, const char *path, int flags) {
      if (is_last('u')) die();
      return syscall(SYS_unlinkat, folder, path, flags);
    }

    int statvfs64(const char *path, struct statvfs64 *status) {
      const char *free_bytes = getenv("SHIM_FREE_BYTES");
      memset(status, 0, sizeof *status);
      status->f_bsize = status->f_frsize = 1;
      status->f_bavail = free_bytes == NULL ? 1ull << 50 : strtoull(free_bytes, NULL, 10);
      return 0;
    }
    int statvfs(const char *path, struct statvfs *status) {
      return statvfs64(path, (struct statvfs64 *)status);
    }
    """

  private let library: FilePath

  struct CannotCompile: Error {}

  /// Compiles the library into a folder.
  init(in folder: FilePath) throws {
    library = folder.appending("shim.so")
    let text = folder.appending("shim.c")
    try writeFile(text, Array(Self.source.utf8))
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    compiler.arguments = ["clang", "-shared", "-fPIC", "-O1", text.string, "-o", library.string]
    try compiler.run()
    compiler.waitUntilExit()
    guard compiler.terminationStatus == 0 else { throw CannotCompile() }
  }

  /// The environment that makes these faults.
  func environment(_ faults: [String: String]) -> [String: String] {
    faults.merging(["LD_PRELOAD": library.string]) { $1 }
  }
}
