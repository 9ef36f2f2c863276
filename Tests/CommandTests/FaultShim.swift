import FixtureSupport
import Foundation
import SystemPackage

/// Makes system calls of a `kelter` fail, or sends it a signal, at a chosen moment: a small library
/// that is loaded before all others.
struct FaultShim {
  private static let source = """
    #define _GNU_SOURCE
    #include <errno.h>
    #include <fcntl.h>
    #include <signal.h>
    #include <stdatomic.h>
    #include <stdlib.h>
    #include <string.h>
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

    ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
      static atomic_int failures, signals, sent;
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
      static atomic_int failures;
      if (is_due("SHIM_EIO", &failures)) return fail(EIO);
      return syscall(SYS_pread64, file, bytes, count, offset);
    }
    ssize_t pread(int file, void *bytes, size_t count, off_t offset) {
      return pread64(file, bytes, count, offset);
    }

    int fsync(int file) {
      static atomic_int failures;
      if (is_due("SHIM_FSYNC", &failures)) return fail(EIO);
      return syscall(SYS_fsync, file);
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
