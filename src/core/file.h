// Checked reading and committed writing of files. Every error is an Error of kind io that names the path and
// the cause.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace surprisal {

// A file mapped read-only. An empty file maps to an empty span. Throws Error (io): missing, a directory,
// unreadable.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  std::size_t size() const { return size_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

std::string read_file(const std::filesystem::path& path);

// Reads a file from its beginning to its end; takes pipes too. Throws Error (io): missing, a directory,
// unreadable.
class FileReader {
 public:
  explicit FileReader(const std::filesystem::path& path);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  // Fills the front of `buffer` and returns how many bytes it wrote; 0 only at the end.
  std::size_t read(std::span<char> buffer);
  std::uint64_t position() const { return position_; }  // bytes read so far

 private:
  std::filesystem::path path_;
  int descriptor_;
  std::uint64_t position_ = 0;
};

// Writes a new file piece by piece. commit() syncs it to disk; without commit() the destructor removes it.
class FileWriter {
 public:
  explicit FileWriter(const std::filesystem::path& path);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }
  std::uint64_t written() const { return written_; }
  void commit();  // flush and fsync; write() must not follow

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t written_ = 0;
  bool committed_ = false;
};

// Holds `path` (made if missing) for this process alone until it is destroyed or the process ends, however it
// ends. Throws Error (usage) where another process holds it, Error (io) where it cannot be made.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_ = -1;
};

// A new file of this content, synced. Where it cannot be written whole, there is none.
void write_file(const std::filesystem::path& path, std::string_view content);

// Replaces `path` whole or not at all: temporary file beside it, fsync, rename, fsync of the directory.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

// The name that a temporary file was to get or had before, where `name` is one of this file's functions;
// empty otherwise. Only a process that was killed leaves any.
std::string target_of_temporary(std::string_view name);

// Everything below `directory`, files and directories, sorted.
std::vector<std::filesystem::path> list_tree(const std::filesystem::path& directory);

std::uint64_t size_of_file(const std::filesystem::path& path);

// Puts the directory `from` in the place of `to`, in one step where the file system can; what was at `to`, if
// anything, lies at `from` afterwards. Where it cannot, `to` has the name of a temporary file for a moment.
void exchange_directories(const std::filesystem::path& from, const std::filesystem::path& to);

// Makes a rename or a new entry in `directory` durable.
void sync_directory(const std::filesystem::path& directory);

// Points the symbolic link `link` at `target` (relative), replacing it in one rename.
void replace_symlink(const std::filesystem::path& link, const std::filesystem::path& target);

// Creates the directory and its parents. (Not create_directories: a call of that name with a path finds
// std::filesystem's, which throws no Error.)
void make_directories(const std::filesystem::path& directory);

}  // namespace surprisal
