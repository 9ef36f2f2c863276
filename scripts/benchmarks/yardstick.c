// Reads files with pread and writes a new file of a given size, as fast as plain calls can: what a
// conversion with as many bytes in and out cannot beat by much.
//
// usage: yardstick THREADS RUNS OUTPUT WRITE_BYTES FILE...
//
// Prints "what wall-seconds cpu-seconds bytes-read bytes-written" per run, where what is read,
// write-buffered, write-direct (O_DIRECT), both-buffered or both-direct. The direct ones are left
// out where the file system refuses O_DIRECT; with WRITE_BYTES 0, all but read. OUTPUT is removed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 8 << 20, ALIGNMENT = 4096 };

// Virtual machines hand memory that was freed back to their host after about a second (free page
// reporting), and getting it again costs many times what writing does. The pages of a file that was
// just removed are cheap until then, which those of a new file are not: buffered runs wait, but for
// files so small that it is not worth it.
enum { REST_SECONDS = 3, LARGE_BYTES = 64 << 20 };

struct source {
  int file;
  off_t byte_count;
};

// One run. Threads take the next piece to read, and write a piece whenever the share of written
// bytes is behind the share of read ones.
struct run {
  const struct source *sources;
  off_t piece_count;   // of PIECE bytes, over all sources
  off_t *first_piece;  // of each source, and the end
  off_t write_piece_count;
  int output;
  atomic_llong next_read, next_write;
};

static void fail(const char *what) {
  fprintf(stderr, "yardstick: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double seconds(struct timespec t) { return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec; }

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return seconds(t);
}

static void write_piece(struct run *run, const char *buffer) {
  off_t piece = atomic_fetch_add(&run->next_write, 1);
  if (piece >= run->write_piece_count) return;
  for (size_t done = 0; done < PIECE;) {
    ssize_t count = pwrite(run->output, buffer + done, PIECE - done, piece * PIECE + (off_t)done);
    if (count <= 0) fail("pwrite");
    done += (size_t)count;
  }
}

static void *work(void *context) {
  struct run *run = context;
  char *buffer = aligned_alloc(ALIGNMENT, PIECE);
  if (!buffer) fail("memory");
  memset(buffer, 1, PIECE);
  size_t index = 0;
  for (;;) {
    off_t piece = atomic_fetch_add(&run->next_read, 1);
    if (piece >= run->piece_count) break;
    while (piece >= run->first_piece[index + 1]) index++;
    off_t offset = (piece - run->first_piece[index]) * PIECE;
    const struct source *source = &run->sources[index];
    off_t end = source->byte_count < offset + PIECE ? source->byte_count : offset + PIECE;
    while (offset < end) {
      ssize_t count = pread(source->file, buffer, (size_t)(end - offset), offset);
      if (count <= 0) fail("pread");
      offset += count;
    }
    while (atomic_load(&run->next_write) * run->piece_count < run->write_piece_count * piece)
      write_piece(run, buffer);
  }
  while (atomic_load(&run->next_write) < run->write_piece_count) write_piece(run, buffer);
  free(buffer);
  return NULL;
}

static void measure(
    const char *what, struct run run, int threads, const char *path, int flags, off_t write_bytes,
    off_t read_bytes) {
  if (run.write_piece_count && !(flags & O_DIRECT) && write_bytes > LARGE_BYTES) sleep(REST_SECONDS);
  double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  if (run.write_piece_count) {
    run.output = open(path, O_WRONLY | O_CREAT | O_EXCL | flags, 0666);
    if (run.output < 0) fail(path);
  }
  pthread_t handles[threads];
  for (int i = 0; i < threads; i++)
    if (pthread_create(&handles[i], NULL, work, &run)) fail("pthread_create");
  for (int i = 0; i < threads; i++) pthread_join(handles[i], NULL);
  if (run.write_piece_count) {
    // The last piece was written whole, as O_DIRECT asks.
    if (ftruncate(run.output, write_bytes) || close(run.output)) fail(path);
  }
  wall = now(CLOCK_MONOTONIC) - wall;
  cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  printf("%s %.6f %.6f %lld %lld\n", what, wall, cpu, (long long)read_bytes,
         (long long)(run.write_piece_count ? write_bytes : 0));
  fflush(stdout);
  if (run.write_piece_count && unlink(path)) fail(path);
}

// Whether a new file at `path` takes O_DIRECT writes; some file systems accept the flag only.
static bool takes_direct(const char *path) {
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_DIRECT, 0666);
  if (file < 0) {
    if (errno == EINVAL) return false;
    fail(path);
  }
  void *buffer = aligned_alloc(ALIGNMENT, ALIGNMENT);
  memset(buffer, 0, ALIGNMENT);
  bool taken = pwrite(file, buffer, ALIGNMENT, 0) == ALIGNMENT;
  free(buffer);
  close(file);
  if (unlink(path)) fail(path);
  return taken;
}

int main(int argc, char **argv) {
  if (argc < 6) {
    fprintf(stderr, "usage: yardstick THREADS RUNS OUTPUT WRITE_BYTES FILE...\n");
    return 64;
  }
  int threads = atoi(argv[1]), runs = atoi(argv[2]);
  const char *path = argv[3];
  off_t write_bytes = atoll(argv[4]), read_bytes = 0;
  size_t count = (size_t)argc - 5;
  struct source *sources = calloc(count, sizeof *sources);
  off_t *first_piece = calloc(count + 1, sizeof *first_piece);
  if (threads < 1 || runs < 1 || write_bytes < 0 || !sources || !first_piece) return 64;
  for (size_t i = 0; i < count; i++) {
    struct stat status;
    sources[i].file = open(argv[5 + i], O_RDONLY);
    if (sources[i].file < 0 || fstat(sources[i].file, &status)) fail(argv[5 + i]);
    sources[i].byte_count = status.st_size;
    read_bytes += status.st_size;
    first_piece[i + 1] = first_piece[i] + (status.st_size + PIECE - 1) / PIECE;
  }

  struct run reading = {
      .sources = sources, .piece_count = first_piece[count], .first_piece = first_piece};
  struct run writing = {.write_piece_count = (write_bytes + PIECE - 1) / PIECE};
  struct run both = reading;
  both.write_piece_count = writing.write_piece_count;
  bool direct = write_bytes > 0 && takes_direct(path);
  for (int i = 0; i < runs; i++) {
    measure("read", reading, threads, path, 0, 0, read_bytes);
    if (write_bytes == 0) continue;
    measure("write-buffered", writing, threads, path, 0, write_bytes, 0);
    if (direct) measure("write-direct", writing, threads, path, O_DIRECT, write_bytes, 0);
    measure("both-buffered", both, threads, path, 0, write_bytes, read_bytes);
    if (direct) measure("both-direct", both, threads, path, O_DIRECT, write_bytes, read_bytes);
  }
  return 0;
}
