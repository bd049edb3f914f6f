#include "text/tokenizer/charsmap.h"

#include <cstring>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

// Bytes. The longest one of NFKC has 33; more would let a small text become a huge one.
constexpr std::size_t kMaxReplacement = 1000;

// A unit of the double array: bit 8 tells that the node has a value, the low byte is its label, the high bits
// are where its children lie relative to it, in steps of 256 if bit 9 is set.
bool has_value(std::uint32_t unit) {
  return (unit >> 8 & 1) != 0;
}
std::uint32_t offset_of(std::uint32_t unit) {
  return (unit >> 10) << ((unit & 1u << 9) >> 6);
}
// The top bit marks the unit of a value, which no byte leads to.
std::uint32_t label_of(std::uint32_t unit) {
  return unit & (1u << 31 | 0xFF);
}
std::uint32_t value_of(std::uint32_t unit) {
  return unit & ~(1u << 31);
}

[[noreturn]] void refuse(const std::string& what, const std::string& where) {
  throw Error(ErrorKind::data, {.what = "the table of characters is damaged: " + what, .where = where});
}

}  // namespace

Charsmap::Charsmap(std::string_view bytes, const std::string& where) {
  std::uint32_t size = 0;
  if (bytes.size() < sizeof size) refuse("it is cut off", where);
  auto byte = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(bytes[i])}; };
  auto number = [&](std::size_t i) {
    return byte(i) | byte(i + 1) << 8 | byte(i + 2) << 16 | byte(i + 3) << 24;
  };
  size = number(0);
  if (size == 0 || size % 4 != 0 || size > bytes.size() - sizeof size) {
    refuse(fmt::format("an array of {} bytes in {}", size, bytes.size()), where);
  }
  units_.resize(size / 4);
  for (std::size_t i = 0; i < units_.size(); ++i) units_[i] = number(4 + 4 * i);
  replacements_ = bytes.substr(4 + size);
  if (find_invalid_utf8(replacements_) != std::string_view::npos) refuse("a text is no UTF-8", where);
  check_nodes(where);
}

// Nodes that several lead to are allowed: the tails of entries may be shared. Their sum is finite where no
// node leads back to one above it.
void Charsmap::check_nodes(const std::string& where) const {
  struct Open {
    std::uint32_t base;
    unsigned next = 1;  // byte to look at; the null byte ends a string
  };
  enum : std::uint8_t { unseen, open, done };
  std::vector<std::uint8_t> state(units_.size(), unseen);
  std::vector<Open> path;
  auto enter = [&](std::uint32_t base) {
    if (base >= units_.size()) refuse("a node lies outside the array", where);
    if (state[base] == open) refuse("a node leads back to one above it", where);
    if (state[base] == done) return;
    state[base] = open;
    path.push_back({base});
  };
  enter(offset_of(units_[0]));
  while (!path.empty()) {
    Open& top = path.back();
    if (top.next > 0xFF) {
      state[top.base] = done;
      path.pop_back();
      continue;
    }
    std::uint32_t base = top.base, at = base ^ top.next, label = top.next++;
    if (at >= units_.size() || label_of(units_[at]) != label) continue;
    std::uint32_t child = at ^ offset_of(units_[at]);
    if (has_value(units_[at])) {
      if (child >= units_.size()) refuse("a value lies outside the array", where);
      check_value(value_of(units_[child]), where);
    }
    enter(child);
  }
}

void Charsmap::check_value(std::uint32_t value, const std::string& where) const {
  bool begins = value < replacements_.size() && (replacements_[value] & 0xC0) != 0x80;
  std::string_view text = begins ? std::string_view(replacements_).substr(value) : std::string_view();
  if (!begins || text.substr(0, kMaxReplacement + 1).find('\0') == text.npos) {
    refuse(
        fmt::format("no text of at most {} bytes at {} of {}", kMaxReplacement, value, replacements_.size()),
        where);
  }
}

std::optional<Charsmap::Step> Charsmap::step(std::uint32_t base, unsigned char byte) const {
  std::uint32_t at = base ^ byte;
  if (byte == 0 || at >= units_.size() || label_of(units_[at]) != byte) return std::nullopt;
  Step result{.base = at ^ offset_of(units_[at]), .value = {}};
  if (has_value(units_[at])) result.value = value_of(units_[result.base]);
  return result;
}

std::string_view Charsmap::replacement(std::uint32_t value) const {
  return {replacements_.c_str() + value, std::strlen(replacements_.c_str() + value)};
}

// Calls found(size, value) for the entries that `text` begins with, the shortest first, until it returns
// true.
template <class Found>
void Charsmap::for_each_prefix(std::string_view text, Found found) const {
  if (units_.empty()) return;
  std::uint32_t base = offset_of(units_[0]);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::optional<Step> next = step(base, static_cast<unsigned char>(text[i]));
    if (!next) return;
    base = next->base;
    bool whole = i + 1 == text.size() || (text[i + 1] & 0xC0) != 0x80;
    if (next->value && whole && found(i + 1, *next->value)) return;
  }
}

std::optional<Charsmap::Match> Charsmap::longest_prefix(std::string_view text) const {
  std::optional<Match> match;
  for_each_prefix(text, [&](std::size_t size, std::uint32_t value) {
    match = {size, replacement(value)};
    return false;
  });
  return match;
}

std::optional<Charsmap::Match> Charsmap::shortest_prefix(std::string_view text) const {
  std::optional<Match> match;
  for_each_prefix(text, [&](std::size_t size, std::uint32_t value) {
    match = {size, replacement(value)};
    return true;
  });
  return match;
}

}  // namespace surprisal
