// How options are spelt: values as TOML, ranges and choices in words. Shared by what reads, writes and
// describes them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"

namespace surprisal::detail {

std::string to_toml(bool value);
std::string to_toml(std::int64_t value);
std::string to_toml(double value);  // the shortest text that reads back as the same bits, never as an integer
std::string to_toml(std::string_view value);
std::string to_toml(const std::vector<std::string>& value);

// "in [0, 1]", "> 0", ">= 1", or "" where every value is allowed.
std::string range_text(const IntRange& range);
std::string range_text(const NumberRange& range);

bool is_utf8(std::string_view text);

// Keeps the dotted name of the table that is being visited.
class KeyVisitor : public OptionVisitor {
 public:
  void table(std::string_view name, std::string_view,
             const std::function<void(OptionVisitor&)>& body) override {
    std::size_t outer = prefix_.size();
    prefix_ += std::string(name) + ".";
    body(*this);
    prefix_.resize(outer);
  }

 protected:
  std::string key_of(std::string_view name) const { return prefix_ + std::string(name); }

 private:
  std::string prefix_;  // "objective.mlm.", empty at the top
};

}  // namespace surprisal::detail
