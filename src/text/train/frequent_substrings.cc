#include "text/train/frequent_substrings.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <tuple>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

// The characters that follow a place within its word, as far as a substring may go. An array of such
// suffixes, sorted, is a suffix array as deep as it is looked into.
struct Suffix {
  std::uint32_t begin = 0;
  std::uint32_t size = 0;  // bytes
  std::uint64_t count = 0;
};

// A run of suffixes that begin with the same characters.
struct Node {
  std::uint32_t bytes = 0;
  std::size_t first = 0, end = 0;  // in the array
};

struct Covering {
  std::uint64_t cover, count;
  std::string_view text;
  bool operator<(const Covering& other) const {
    return cover != other.cover ? cover > other.cover : text < other.text;
  }
};

std::string concatenate(const std::vector<WordCount>& words) {
  std::size_t size = 0;
  for (const WordCount& word : words) size += word.word.size();
  if (size > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(ErrorKind::data, {.what = "the text has too many different words",
                                  .found = fmt::format("{} bytes", size),
                                  .expected = "less than 4 GiB",
                                  .fix = "train on a part of it"});
  }
  std::string text;
  text.reserve(size);
  for (const WordCount& word : words) text += word.word;
  return text;
}

void add_suffixes(std::string_view word, std::uint32_t offset, std::uint64_t count,
                  std::size_t max_characters, std::vector<Suffix>& suffixes) {
  std::vector<std::uint32_t> begins;
  for (std::size_t at = 0; at < word.size(); next_code_point(word, at))
    begins.push_back(static_cast<std::uint32_t>(at));
  begins.push_back(static_cast<std::uint32_t>(word.size()));
  for (std::size_t i = 0; i + 1 < begins.size(); ++i) {
    std::uint32_t end = begins[std::min(i + max_characters, begins.size() - 1)];
    suffixes.push_back({offset + begins[i], end - begins[i], count});
  }
}

// Bytes that two suffixes have in common, in whole characters.
std::uint32_t common_prefix(std::string_view a, std::string_view b) {
  std::size_t size = std::min(a.size(), b.size());
  auto differ = std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(size), b.begin());
  auto common = static_cast<std::size_t>(differ.first - a.begin());
  while (common > 0 && common < a.size() && (a[common] & 0xC0) == 0x80) --common;
  return static_cast<std::uint32_t>(common);
}

// Calls found(node) for every run of suffixes that have more in common with one another than with those
// around them, be it one alone.
template <class Found>
void for_each_node(const std::vector<Suffix>& suffixes, std::string_view text, Found found) {
  auto view = [&](std::size_t i) { return text.substr(suffixes[i].begin, suffixes[i].size); };
  std::vector<Node> open;
  std::uint32_t before = 0;
  for (std::size_t i = 1; i <= suffixes.size(); ++i) {
    std::uint32_t common = i < suffixes.size() ? common_prefix(view(i - 1), view(i)) : 0;
    std::size_t first = i - 1;
    if (std::uint32_t size = suffixes[first].size; size > std::max(before, common))
      found(Node{size, first, i});
    before = common;
    while (!open.empty() && open.back().bytes > common) {
      open.back().end = i;
      found(open.back());
      first = open.back().first;
      open.pop_back();
    }
    if (common > 0 && (open.empty() || open.back().bytes < common)) open.push_back({common, first, 0});
  }
}

std::uint64_t characters(std::string_view text) {
  return static_cast<std::uint64_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

}  // namespace

std::vector<Substring> frequent_substrings(const std::vector<WordCount>& words, std::size_t max_characters,
                                           std::size_t limit) {
  std::string text = concatenate(words);
  std::vector<Suffix> suffixes;
  std::uint32_t offset = 0;
  for (const WordCount& word : words) {
    add_suffixes(word.word, offset, word.count, max_characters, suffixes);
    offset += static_cast<std::uint32_t>(word.word.size());
  }
  std::string_view all = text;
  std::sort(suffixes.begin(), suffixes.end(), [&](const Suffix& a, const Suffix& b) {
    int order = all.substr(a.begin, a.size).compare(all.substr(b.begin, b.size));
    return order != 0 ? order < 0 : a.begin < b.begin;
  });
  std::vector<std::uint64_t> counts(suffixes.size() + 1);  // of all suffixes before
  for (std::size_t i = 0; i < suffixes.size(); ++i) counts[i + 1] = counts[i] + suffixes[i].count;
  std::vector<Covering> found;
  for_each_node(suffixes, all, [&](const Node& node) {
    std::string_view piece = all.substr(suffixes[node.first].begin, node.bytes);
    std::uint64_t size = characters(piece), count = counts[node.end] - counts[node.first];
    if (size > 1 && count > 1) found.push_back({size * count, count, piece});
  });
  std::sort(found.begin(), found.end());
  if (found.size() > limit) found.resize(limit);
  std::vector<Substring> result;
  result.reserve(found.size());
  for (const Covering& entry : found) result.push_back({std::string(entry.text), entry.count});
  return result;
}

}  // namespace surprisal
