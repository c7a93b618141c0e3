// Shifts the wall clock of a process by as many seconds as a file says, at any time. The monotonic clock stays.
//
// A wait with a deadline on the wall clock ends when the shifted clock says so, as it would with a clock that was set:
// one that is under way when the clock goes back by an hour lasts an hour longer, unless it is woken.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static const long long NANOS = 1000000000LL;
static const long long SLICE = 50000000LL;

static void real(clockid_t clock, struct timespec *out) { syscall(SYS_clock_gettime, clock, out); }

static long long nanos(const struct timespec *time) { return time->tv_sec * NANOS + time->tv_nsec; }

static struct timespec of(long long nanos) {
  struct timespec time = {.tv_sec = nanos / NANOS, .tv_nsec = nanos % NANOS};
  return time;
}

// Looked up at most every 20 ms.
static long long offset(void) {
  static long long known, looked;
  struct timespec now;
  real(CLOCK_MONOTONIC, &now);
  long long last = __atomic_load_n(&looked, __ATOMIC_RELAXED);
  if (nanos(&now) - last > 20000000LL) {
    __atomic_store_n(&looked, nanos(&now), __ATOMIC_RELAXED);
    const char *path = getenv("CLOCK_OFFSET_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
      char text[32] = {0};
      if (read(file, text, sizeof text - 1) > 0) __atomic_store_n(&known, atoll(text) * NANOS, __ATOMIC_RELAXED);
      close(file);
    }
  }
  return __atomic_load_n(&known, __ATOMIC_RELAXED);
}

int clock_gettime(clockid_t clock, struct timespec *out) {
  if (syscall(SYS_clock_gettime, clock, out)) return -1;
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) *out = of(nanos(out) + offset());
  return 0;
}

int timespec_get(struct timespec *out, int base) {
  if (base != TIME_UTC) return 0;
  clock_gettime(CLOCK_REALTIME, out);
  return base;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}

// The real time at which to look again, in slices, so that it is seen when the clock jumps meanwhile; whether that is the end.
static int slice(const struct timespec *until, struct timespec *end) {
  struct timespec shifted, now;
  clock_gettime(CLOCK_REALTIME, &shifted);
  long long left = nanos(until) - nanos(&shifted);
  real(CLOCK_REALTIME, &now);
  *end = of(nanos(&now) + (left < SLICE ? (left > 0 ? left : 0) : SLICE));
  return left <= SLICE;
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until) {
  static int (*wait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
  if (!wait) wait = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  for (;;) {
    struct timespec end;
    int is_last = slice(until, &end);
    int result = wait(condition, mutex, &end);
    if (result != ETIMEDOUT || is_last) return result;
  }
}

// What librdkafka waits with, where the C library has the threads of C11.
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until) {
  static int (*wait)(cnd_t *, mtx_t *, const struct timespec *);
  if (!wait) wait = dlsym(RTLD_NEXT, "cnd_timedwait");
  for (;;) {
    struct timespec end;
    int is_last = slice(until, &end);
    int result = wait(condition, mutex, &end);
    if (result != thrd_timedout || is_last) return result;
  }
}
