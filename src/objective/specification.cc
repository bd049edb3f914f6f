#include "objective/specification.h"

#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace surprisal {
namespace {

constexpr double kLargest = 1e9;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool begins_number(char c) {
  return (c >= '0' && c <= '9') || c == '.' || c == '-';
}

// A recursive descent over the text, one function a rule of the grammar.
class Parser {
 public:
  Parser(const std::string& text, std::string_view key)
      : text_(text), key_(key), mixes_(text.find('|') != std::string::npos) {}

  std::vector<WrittenPart> specification() {
    std::vector<WrittenPart> parts{part()};
    while (take('|')) parts.push_back(part());
    return parts;
  }

 private:
  // [share] sum. Where nothing is mixed, a single number is a weight.
  WrittenPart part() {
    WrittenPart part;
    skip_blanks();
    part.offset = at_;
    if (at_number()) {
      double first = number();
      skip_blanks();
      if (mixes_ || at_number()) {
        part.share = first;
        part.offset = at_;
      } else {
        at_ = part.offset;
      }
    }
    sum(part.terms);
    part.text = text_.substr(part.offset, end_of_name_ - part.offset);
    return part;
  }

  void sum(std::vector<WrittenTerm>& terms) {
    do terms.push_back(term());
    while (take('+'));
    skip_blanks();
    if (at_ < text_.size() && text_[at_] != '|') fail("there is no operator here", "'+' or '|'");
  }

  // [weight] name
  WrittenTerm term() {
    WrittenTerm term;
    skip_blanks();
    if (at_number()) term.weight = number();
    skip_blanks();
    term.offset = at_;
    while (at_ < text_.size() && !is_blank(text_[at_]) && text_[at_] != '+' && text_[at_] != '|') ++at_;
    if (at_ == term.offset || begins_number(text_[term.offset])) {
      at_ = term.offset;
      fail(fmt::format("there is no {} here", key_.substr(key_.rfind('.') + 1)), "the name of one");
    }
    end_of_name_ = at_;
    term.name = text_.substr(term.offset, at_ - term.offset);
    return term;
  }

  double number() {
    double value = 0;
    auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc() || !(value >= 0 && value <= kLargest)) {
      fail("impossible number", fmt::format("a number in [0, {}]", kLargest));
    }
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }

  bool at_number() const { return at_ < text_.size() && begins_number(text_[at_]); }

  bool take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }

  // What stands at the place of an error: the text up to the next blank or operator.
  std::string word() const {
    if (at_ >= text_.size()) return "the end";
    std::size_t end = at_ + 1;
    while (end < text_.size() && !is_blank(text_[end]) && text_[end] != '+' && text_[end] != '|') ++end;
    if (text_[at_] == '+' || text_[at_] == '|') end = at_ + 1;
    return fmt::format("'{}'", text_.substr(at_, end - at_));
  }

  [[noreturn]] void fail(std::string what, std::string expected) const {
    throw specification_error(
        text_, at_, {.what = std::move(what), .found = word(), .expected = std::move(expected)}, key_);
  }

  const std::string& text_;
  std::string_view key_;
  bool mixes_;
  std::size_t at_ = 0;
  std::size_t end_of_name_ = 0;  // of the last term
};

}  // namespace

std::vector<WrittenPart> parse_specification(const std::string& specification, std::string_view key) {
  return Parser(specification, key).specification();
}

Error specification_error(const std::string& specification, std::size_t offset, ErrorParts parts,
                          std::string_view key) {
  std::size_t column = 1;
  for (char c : std::string_view(specification).substr(0, offset)) {
    bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;  // a byte within a character of UTF-8
    if (!continues) ++column;
  }
  parts.where = fmt::format("{} \"{}\", column {}", key, specification, column);
  return Error(ErrorKind::usage, std::move(parts));
}

}  // namespace surprisal
