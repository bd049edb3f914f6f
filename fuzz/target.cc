#include "fuzz/target.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "surprisal/error.h"

#include "core/file.h"
#include "tests/core/temporary_directory.h"
#include "text/unicode/utf8.h"

namespace surprisal::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr char kBetweenParts = '\xFF';

// One line that a terminal shows as it is, and five parts of at most 64 KiB each.
void check_message(std::string_view message) {
  constexpr std::size_t kMost = 321 * 1024;
  const bool shown = std::none_of(message.begin(), message.end(),
                                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  expect(!message.empty(), "an error without a message");
  expect(shown, "a message with control characters");
  expect(find_invalid_utf8(message) == message.npos, "a message that is no UTF-8");
  expect(message.size() <= kMost, "a message that is too long");
}

}  // namespace

void expect(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

void run(std::string_view input) {
  try {
    read(input);
  } catch (const Error& error) {
    check_message(error.what());
  }
}

std::vector<std::string> parts_of(std::string_view input, std::size_t count) {
  std::vector<std::string> parts;
  while (parts.size() + 1 < count) {
    const std::size_t end = std::min(input.find(kBetweenParts), input.size());
    parts.emplace_back(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  parts.emplace_back(input);
  return parts;
}

std::string join_parts(const std::vector<std::string>& parts) {
  std::string input;
  for (const std::string& part : parts) {
    if (&part != &parts.front()) input += kBetweenParts;
    input += part;
  }
  return input;
}

const fs::path& directory() {
  static const TemporaryDirectory temporary;
  return temporary.path();
}

fs::path write(const std::string& name, std::string_view content) {
  fs::path path = directory() / name;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path.string());
  return path;
}

std::string test_data(const std::string& name) {
  return read_file(fs::path(SURPRISAL_TEST_DATA) / name);
}

}  // namespace surprisal::fuzz
