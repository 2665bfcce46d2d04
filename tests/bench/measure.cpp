// SPDX-License-Identifier: Apache-2.0
// Runs a command on one core (`all`: where the system likes) and writes what it used as JSON:
//   measure CORE RESULT_FILE COMMAND [ARGUMENT...]
// Seconds of processor time (user, sys) and of the clock (wall), peak memory (max_rss_kb), when it
// started by the monotonic clock (started_ns) and its exit status. It is as small as it is because
// a child's peak memory counts that of the parent it was forked from. SIGTERM kills the command.
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

volatile sig_atomic_t running_child = 0;

extern "C" void kill_child(int /*signal*/) {
  if (running_child > 0) {
    kill(static_cast<pid_t>(running_child), SIGKILL);
  }
}

std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

bool pin_to(const char* core) {
  if (std::strcmp(core, "all") == 0) {
    return true;
  }
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<unsigned>(std::strtoul(core, nullptr, 10)), &cores);
  return sched_setaffinity(0, sizeof cores, &cores) == 0;
}

// Thousands of connections need more descriptors than a shell gives.
void allow_many_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || !pin_to(argv[1])) {
    std::fprintf(stderr, "usage: measure CORE RESULT_FILE COMMAND [ARGUMENT...]\n");
    return 2;
  }
  allow_many_files();
  std::signal(SIGTERM, &kill_child);
  pid_t child = 0;
  const std::int64_t started = monotonic_ns();
  if (posix_spawnp(&child, argv[3], nullptr, nullptr, argv + 3, environ) != 0) {
    std::perror(argv[3]);
    return 127;
  }
  running_child = child;
  int status = 0;
  rusage used{};
  while (wait4(child, &status, 0, &used) != child) {
  }
  const std::int64_t ended = monotonic_ns();
  std::FILE* result = std::fopen(argv[2], "w");
  if (result == nullptr) {
    std::perror(argv[2]);
    return 1;
  }
  std::fprintf(result,
               "{\"user\":%.6f,\"sys\":%.6f,\"wall\":%.6f,\"max_rss_kb\":%ld,\"started_ns\":%lld,"
               "\"status\":%d}\n",
               seconds(used.ru_utime),
               seconds(used.ru_stime),
               static_cast<double>(ended - started) * 1e-9,
               used.ru_maxrss,
               static_cast<long long>(started),
               WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return std::fclose(result) == 0 ? 0 : 1;
}
