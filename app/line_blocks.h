// The lines of a text as they come: a block of whole lines at a time, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"

namespace surprisal {

// Lines end by \n alone; one that the file ends without a newline counts.
class LineBlocks {
 public:
  // "-": standard input. Throws Error (io).
  explicit LineBlocks(const std::string& file);

  // The next lines, at least one, good until the next call; false at the end. A block is what one read gives,
  // up to a few megabytes, so that what comes slowly is answered at once; a longer line is a block of its
  // own.
  bool next(std::vector<std::string_view>& lines);
  // Number of the first line of the block, counted from 1.
  std::uint64_t first_number() const { return first_number_; }

 private:
  bool read_more();

  std::optional<FileReader> file_;  // or standard input
  std::string buffer_;
  std::size_t size_ = 0;  // bytes of buffer_ that hold text,
  std::size_t done_ = 0;  // that were given out
  std::uint64_t first_number_ = 1;
  std::size_t lines_ = 0;  // of the last block
};

}  // namespace surprisal
