// A file that gzip wrote, for goldens.
#pragma once

#include <string>

#include <gtest/gtest.h>
#include <zlib.h>

namespace surprisal {

inline std::string read_gzip(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  EXPECT_TRUE(file) << path;
  std::string text, buffer(1 << 20, '\0');
  for (int size; (size = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()))) > 0;) {
    text.append(buffer, 0, static_cast<std::size_t>(size));
  }
  EXPECT_EQ(gzclose(file), Z_OK) << path;
  return text;
}

}  // namespace surprisal
