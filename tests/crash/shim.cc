// A library that is preloaded into the program and stands between it and the disk: it counts what changes
// files below a directory, and at the n-th such call ends the process or says that the disk is full or
// failing.
//
//   SURPRISAL_SHIM_DIRECTORY   absolute; what is below it counts, everything else passes
//   SURPRISAL_SHIM_LOG         a file that gets a line for each counted call: number, name, bytes, paths
//   SURPRISAL_SHIM_AT          the number of the call that is met by ...        (without it, all are only
//   counted) SURPRISAL_SHIM_ACTION      kill: SIGKILL before the call    half: half of the bytes of a write,
//   then SIGKILL
//                              EIO, ENOSPC, EDQUOT: that error  short: half of the bytes of a write, and no
//                              error
//   SURPRISAL_SHIM_ALWAYS      not that call alone, but all from it on
//   SURPRISAL_SHIM_SYNC        fsync is passed on; without it, it is counted and done with: a killed process
//   loses
//                              nothing that it wrote, so the tests need not wait for a disk
//   SURPRISAL_SHIM_NO_EXCHANGE renameat2 knows no flags, as on some network file systems
//
// Whatever is let through is a system call and not the next library's function: nothing here depends on the
// order in which libraries are initialised, nor on a sanitizer's own functions between the program and libc.
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

struct Plan {
  std::string directory = variable("SURPRISAL_SHIM_DIRECTORY");
  std::string action = variable("SURPRISAL_SHIM_ACTION");
  long at = std::atol(variable("SURPRISAL_SHIM_AT").c_str());
  bool always = !variable("SURPRISAL_SHIM_ALWAYS").empty();
  bool sync = !variable("SURPRISAL_SHIM_SYNC").empty();
  bool no_exchange = !variable("SURPRISAL_SHIM_NO_EXCHANGE").empty();
  std::string log = variable("SURPRISAL_SHIM_LOG");
  std::atomic<long> calls{0};
};

// Made at the first call, whichever library makes it.
Plan& plan() {
  static Plan* plan = new Plan;
  return *plan;
}

std::string link_target(const std::string& link) {
  char target[PATH_MAX];
  const long length = syscall(SYS_readlink, link.c_str(), target, sizeof target);
  return length < 0 ? std::string() : std::string(target, static_cast<std::size_t>(length));
}

std::string path_of(int descriptor) {
  return link_target("/proc/self/fd/" + std::to_string(descriptor));
}

std::string path_at(int directory, const char* path) {
  if (!path || *path == '/') return path ? path : "";
  return (directory == AT_FDCWD ? link_target("/proc/self/cwd") : path_of(directory)) + "/" + path;
}

void log_call(long number, const char* call, std::size_t bytes, const std::string& paths) {
  if (plan().log.empty()) return;
  const std::string line =
      std::to_string(number) + " " + call + " " + std::to_string(bytes) + " " + paths + "\n";
  const long file = syscall(SYS_openat, AT_FDCWD, plan().log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  syscall(SYS_write, file, line.data(), line.size());
  syscall(SYS_close, file);
}

[[noreturn]] void kill_process() {
  syscall(SYS_kill, getpid(), SIGKILL);
  while (true) pause();
}

struct Verdict {
  int error = 0;
  bool half = false, then_kill = false;
};

// What becomes of a call.
Verdict meet(const char* call, const std::string& path, std::size_t bytes = 0,
             const std::string& other = "") {
  auto below = [](const std::string& what) { return what.starts_with(plan().directory + "/"); };
  if (plan().directory.empty() || (!below(path) && !below(other))) return {};
  const long number = ++plan().calls;
  log_call(number, call, bytes, other.empty() ? path : path + " " + other);
  const bool meant = plan().at > 0 && (plan().always ? number >= plan().at : number == plan().at);
  if (!meant) return {};
  const std::string& action = plan().action;
  if (action == "kill" || (action == "half" && bytes < 2)) kill_process();
  if (action == "half") return {.half = true, .then_kill = true};
  if (action == "short") return {.half = bytes >= 2};
  return {.error = action == "EIO" ? EIO : action == "EDQUOT" ? EDQUOT : ENOSPC};
}

template <class... Arguments>
long pass(const Verdict& verdict, long number, Arguments... arguments) {
  if (verdict.error == 0) return syscall(number, arguments...);
  errno = verdict.error;
  return -1;
}

long pass_write(const Verdict& verdict, long number, int file, const void* data, std::size_t size, off_t at) {
  const std::size_t count = verdict.half ? size / 2 : size;
  const long result = number == SYS_write ? pass(verdict, number, file, data, count)
                                          : pass(verdict, number, file, data, count, at);
  if (verdict.then_kill) kill_process();
  return result;
}

int open_at(int directory, const char* path, int flags, mode_t mode) {
  Verdict verdict;
  if ((flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0) {
    verdict = meet("open", path_at(directory, path));
  }
  return static_cast<int>(pass(verdict, SYS_openat, directory, path, flags, mode));
}

int rename_at(int from, const char* old_path, int to, const char* new_path, unsigned flags) {
  if (flags != 0 && plan().no_exchange) {
    errno = EINVAL;
    return -1;
  }
  const Verdict verdict = meet("rename", path_at(from, old_path), 0, path_at(to, new_path));
  return static_cast<int>(pass(verdict, SYS_renameat2, from, old_path, to, new_path, flags));
}

int unlink_at(int directory, const char* path, int flags) {
  const Verdict verdict = meet(flags & AT_REMOVEDIR ? "rmdir" : "unlink", path_at(directory, path));
  return static_cast<int>(pass(verdict, SYS_unlinkat, directory, path, flags));
}

int sync_file(int file, long number) {
  const Verdict verdict = meet("fsync", path_of(file));
  if (verdict.error == 0 && !plan().sync) return 0;
  return static_cast<int>(pass(verdict, number, file));
}

}  // namespace

#define SHIM extern "C" __attribute__((visibility("default")))

SHIM ssize_t write(int file, const void* data, size_t size) {
  return pass_write(meet("write", path_of(file), size), SYS_write, file, data, size, 0);
}
SHIM ssize_t pwrite64(int file, const void* data, size_t size, off64_t at) {
  return pass_write(meet("write", path_of(file), size), SYS_pwrite64, file, data, size, at);
}
SHIM ssize_t pwrite(int file, const void* data, size_t size, off_t at) {
  return pwrite64(file, data, size, at);
}
// Half of a list of pieces is its first piece.
SHIM ssize_t writev(int file, const iovec* pieces, int count) {
  std::size_t size = 0;
  for (int piece = 0; piece < count; ++piece) size += pieces[piece].iov_len;
  const Verdict verdict = meet("write", path_of(file), size);
  const long result = pass(verdict, SYS_writev, file, pieces, verdict.half ? 1 : count);
  if (verdict.then_kill) kill_process();
  return result;
}

SHIM int fsync(int file) {
  return sync_file(file, SYS_fsync);
}
SHIM int fdatasync(int file) {
  return sync_file(file, SYS_fdatasync);
}
SHIM int ftruncate64(int file, off64_t size) noexcept {
  return static_cast<int>(pass(meet("truncate", path_of(file)), SYS_ftruncate, file, size));
}
SHIM int ftruncate(int file, off_t size) noexcept {
  return ftruncate64(file, size);
}
SHIM int truncate64(const char* path, off64_t size) noexcept {
  return static_cast<int>(pass(meet("truncate", path_at(AT_FDCWD, path)), SYS_truncate, path, size));
}
SHIM int truncate(const char* path, off_t size) noexcept {
  return truncate64(path, size);
}

// The mode is there where a file may be made.
#define OPEN_WITH_MODE(directory, path, flags)                      \
  do {                                                              \
    std::va_list rest;                                              \
    va_start(rest, flags);                                          \
    const mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                   \
    return open_at(directory, path, flags, mode);                   \
  } while (false)

SHIM int open(const char* path, int flags, ...) {
  OPEN_WITH_MODE(AT_FDCWD, path, flags);
}
SHIM int open64(const char* path, int flags, ...) {
  OPEN_WITH_MODE(AT_FDCWD, path, flags);
}
SHIM int openat(int directory, const char* path, int flags, ...) {
  OPEN_WITH_MODE(directory, path, flags);
}
SHIM int openat64(int directory, const char* path, int flags, ...) {
  OPEN_WITH_MODE(directory, path, flags);
}
SHIM int creat(const char* path, mode_t mode) {
  return open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

SHIM int rename(const char* from, const char* to) noexcept {
  return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0);
}
SHIM int renameat(int from, const char* old_path, int to, const char* new_path) noexcept {
  return rename_at(from, old_path, to, new_path, 0);
}
SHIM int renameat2(int from, const char* old_path, int to, const char* new_path, unsigned flags) noexcept {
  return rename_at(from, old_path, to, new_path, flags);
}

SHIM int unlinkat(int directory, const char* path, int flags) noexcept {
  return unlink_at(directory, path, flags);
}
SHIM int unlink(const char* path) noexcept {
  return unlink_at(AT_FDCWD, path, 0);
}
SHIM int rmdir(const char* path) noexcept {
  return unlink_at(AT_FDCWD, path, AT_REMOVEDIR);
}
SHIM int remove(const char* path) noexcept {
  if (unlink_at(AT_FDCWD, path, 0) == 0) return 0;
  return errno == EISDIR ? unlink_at(AT_FDCWD, path, AT_REMOVEDIR) : -1;
}

SHIM int symlinkat(const char* target, int directory, const char* path) noexcept {
  return static_cast<int>(
      pass(meet("symlink", path_at(directory, path)), SYS_symlinkat, target, directory, path));
}
SHIM int symlink(const char* target, const char* path) noexcept {
  return symlinkat(target, AT_FDCWD, path);
}
SHIM int linkat(int from, const char* old_path, int to, const char* new_path, int flags) noexcept {
  return static_cast<int>(
      pass(meet("link", path_at(to, new_path)), SYS_linkat, from, old_path, to, new_path, flags));
}
SHIM int link(const char* from, const char* to) noexcept {
  return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}
SHIM int mkdirat(int directory, const char* path, mode_t mode) noexcept {
  return static_cast<int>(pass(meet("mkdir", path_at(directory, path)), SYS_mkdirat, directory, path, mode));
}
SHIM int mkdir(const char* path, mode_t mode) noexcept {
  return mkdirat(AT_FDCWD, path, mode);
}
