// A file of lines that a run appends to, and that outlasts a full disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "surprisal/error.h"

namespace surprisal {

// Lines that cannot be written wait in memory and go out with the next that can: a run is worth more than its
// log. What is in the file always ends with a whole line.
class LineLog {
 public:
  // Makes the file where it is missing. Throws Error (io).
  explicit LineLog(const std::filesystem::path& path);
  ~LineLog();
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;

  // `line` without its newline. Returns what went wrong the first time that a line has to wait.
  std::optional<Error> append(const std::string& line);
  // Throws Error (io) where lines still wait.
  void finish();

 private:
  std::optional<Error> flush();

  std::filesystem::path path_;
  int descriptor_;
  std::int64_t size_ = 0;  // of whole lines in the file
  std::string waiting_;
  bool failing_ = false;
  bool torn_ = false;  // a part of a line stands behind size_
};

}  // namespace surprisal
