#include "core/file.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "surprisal/error.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& what, int cause) {
  throw Error(ErrorKind::io,
              {.what = what + ": " + std::generic_category().message(cause), .where = path.string()});
}

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : value_(open(path.c_str(), flags | O_CLOEXEC)) {
    if (value_ < 0) fail(path, "cannot open", errno);
  }
  ~Descriptor() { close(value_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

// Status of a file to be read. A directory opens without complaint, so it is refused here.
struct stat readable_status(const fs::path& path, int descriptor) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) fail(path, "cannot read", errno);
  if (S_ISDIR(status.st_mode)) {
    throw Error(ErrorKind::io,
                {.what = "cannot read: is a directory", .where = path.string(), .expected = "a file"});
  }
  return status;
}

// 0 only at the end.
std::size_t read_some(const fs::path& path, int descriptor, std::span<char> buffer) {
  while (true) {
    ssize_t count = read(descriptor, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) fail(path, "cannot read", errno);
  }
}

std::string read_all(const fs::path& path, int descriptor) {
  std::string content;
  char buffer[1 << 16];
  while (std::size_t count = read_some(path, descriptor, buffer)) content.append(buffer, count);
  return content;
}

const std::byte* map_file(const fs::path& path, int descriptor, std::size_t size) {
  void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (memory == MAP_FAILED) fail(path, "cannot map into memory", errno);
  return static_cast<const std::byte*>(memory);
}

// Pipes and devices cannot be mapped: their content is copied to memory that is unmapped in the same way.
const std::byte* map_copy(const fs::path& path, const std::string& content) {
  void* memory = mmap(nullptr, content.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail(path, "cannot read into memory", errno);
  std::memcpy(memory, content.data(), content.size());
  return static_cast<const std::byte*>(memory);
}

// Pipes and some network file systems know no fsync; there is nothing to make durable then.
void sync(const fs::path& path, int descriptor) {
  if (fsync(descriptor) != 0 && errno != EINVAL && errno != ENOTSUP) fail(path, "cannot sync to disk", errno);
}

bool is_regular(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

fs::path directory_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// A name beside `path` that no other thread or process uses.
fs::path temporary_beside(const fs::path& path) {
  static std::atomic<unsigned> counter{0};
  return directory_of(path) / fmt::format(".{}.{}.{}.tmp", path.filename().string(), getpid(), counter++);
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

void rename_over(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return;
  int cause = errno;
  unlink(from.c_str());
  fail(to, "cannot replace", cause);
}

}  // namespace

MappedFile::MappedFile(const fs::path& path) : path_(path) {
  Descriptor file(path, O_RDONLY);
  struct stat status = readable_status(path, file.get());
  if (S_ISREG(status.st_mode)) {
    size_ = static_cast<std::size_t>(status.st_size);
    if (size_ > 0) data_ = map_file(path, file.get(), size_);
    return;
  }
  std::string content = read_all(path, file.get());
  size_ = content.size();
  if (size_ > 0) data_ = map_copy(path, content);
}

MappedFile::~MappedFile() {
  if (data_) munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

std::string read_file(const fs::path& path) {
  Descriptor file(path, O_RDONLY);
  readable_status(path, file.get());
  return read_all(path, file.get());
}

FileReader::FileReader(const fs::path& path)
    : path_(path), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) fail(path, "cannot open", errno);
  try {
    readable_status(path, descriptor_);
  } catch (...) {
    close(descriptor_);
    throw;
  }
}

FileReader::~FileReader() {
  close(descriptor_);
}

std::size_t FileReader::read(std::span<char> buffer) {
  std::size_t count = read_some(path_, descriptor_, buffer);
  position_ += count;
  return count;
}

FileWriter::FileWriter(const fs::path& path)
    : path_(path), descriptor_(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) fail(path, "cannot create", errno);
}

FileWriter::~FileWriter() {
  if (descriptor_ < 0) return;
  bool remove = !committed_ && is_regular(descriptor_);  // never a device such as /dev/stdout
  close(descriptor_);
  if (remove) unlink(path_.c_str());
}

void FileWriter::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path_, "cannot write", errno);
    written_ += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void FileWriter::commit() {
  sync(path_, descriptor_);
  committed_ = true;
  // Closing may be what reports a failed write on a network file system.
  if (close(std::exchange(descriptor_, -1)) != 0) {
    int cause = errno;
    unlink(path_.c_str());
    fail(path_, "cannot write", cause);
  }
}

void write_file(const fs::path& path, std::string_view content) {
  FileWriter writer(path);
  writer.write(content);
  writer.commit();
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  fs::path temporary = temporary_beside(path);
  write_file(temporary, content);
  rename_over(temporary, path);
  sync_directory(directory_of(path));
}

// ".NAME.PROCESS.N.tmp", as temporary_beside makes it.
std::string target_of_temporary(std::string_view name) {
  constexpr std::string_view kEnd = ".tmp";
  if (!name.starts_with('.') || !name.ends_with(kEnd)) return {};
  name.remove_suffix(kEnd.size());
  for (int number = 0; number < 2; ++number) {
    const std::size_t dot = name.rfind('.');
    if (!is_number(name.substr(dot + 1))) return {};
    name = name.substr(0, dot);
  }
  return std::string(name.substr(std::min<std::size_t>(1, name.size())));
}

std::vector<fs::path> list_tree(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code cause;
  for (fs::recursive_directory_iterator entry(directory, cause), end; !cause && entry != end;
       entry.increment(cause)) {
    found.push_back(entry->path());
  }
  if (cause) fail(directory, "cannot list the directory", cause.value());
  std::sort(found.begin(), found.end());
  return found;
}

std::uint64_t size_of_file(const fs::path& path) {
  std::error_code cause;
  std::uint64_t size = fs::file_size(path, cause);
  if (cause) fail(path, "cannot read", cause.value());
  return size;
}

void exchange_directories(const fs::path& from, const fs::path& to) {
  std::error_code none;
  if (!fs::exists(fs::symlink_status(to, none))) {
    if (std::rename(from.c_str(), to.c_str()) != 0) fail(to, "cannot rename the finished directory", errno);
    return;
  }
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return;
  if (errno != EINVAL && errno != ENOSYS) fail(to, "cannot replace", errno);
  // Some network file systems cannot exchange: for a moment neither is in place.
  const fs::path aside = temporary_beside(to);
  if (std::rename(to.c_str(), aside.c_str()) != 0) fail(to, "cannot replace", errno);
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    const int cause = errno;
    std::rename(aside.c_str(), to.c_str());
    fail(to, "cannot replace", cause);
  }
  if (std::rename(aside.c_str(), from.c_str()) != 0) fail(aside, "cannot rename", errno);
}

void sync_directory(const fs::path& directory) {
  Descriptor descriptor(directory.empty() ? fs::path(".") : directory, O_RDONLY | O_DIRECTORY);
  sync(directory, descriptor.get());
}

void replace_symlink(const fs::path& link, const fs::path& target) {
  fs::path temporary = temporary_beside(link);
  if (symlink(target.c_str(), temporary.c_str()) != 0) fail(link, "cannot create a symbolic link", errno);
  rename_over(temporary, link);
  sync_directory(directory_of(link));
}

void make_directories(const fs::path& directory) {
  std::error_code cause;
  fs::create_directories(directory, cause);
  if (cause) fail(directory, "cannot create the directory", cause.value());
}

FileLock::FileLock(const fs::path& path)
    : descriptor_(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) fail(path, "cannot open", errno);
  if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  int cause = errno;
  close(descriptor_);
  if (cause != EWOULDBLOCK) fail(path, "cannot lock", cause);
  throw Error(
      ErrorKind::usage,
      {.what = "another process is at work here", .where = path.string(), .fix = "wait for it to end"});
}

FileLock::~FileLock() {
  close(descriptor_);  // which gives the lock back
}

}  // namespace surprisal
