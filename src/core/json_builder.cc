#include "core/json_builder.h"

#include <iterator>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

namespace surprisal {
namespace {

// Text that tells how far the parser has read: the SAX interface gives positions for syntax errors only.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *furthest_ = ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator old = *this;
    ++*this;
    return old;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) { return a.at_ == b.at_; }
  friend bool operator!=(const CountingIterator& a, const CountingIterator& b) { return a.at_ != b.at_; }

 private:
  const char* at_;
  const char** furthest_;
};

// Builds a Json from the parser's events. Every refusal returns false, which ends the parse, with problem()
// set.
class Builder {
 public:
  Builder(std::string_view text, const char* const* furthest, JsonDepth depth)
      : text_(text), furthest_(furthest), depth_(depth) {}

  const std::optional<JsonProblem>& problem() const { return problem_; }
  Json take() { return std::move(root_); }

  bool null() { return put(nullptr); }
  bool boolean(bool value) { return put(value); }
  bool number_integer(std::int64_t value) { return put(value); }
  bool number_unsigned(std::uint64_t value) { return put(value); }
  bool number_float(double value, const std::string&) { return put(value); }
  bool string(std::string& value) { return put(std::move(value)); }
  bool binary(Json::binary_t&) { return false; }

  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    if (pruned_ > 0) return true;
    auto [member, inserted] = open_.back()->get_ref<Json::object_t&>().emplace(name, nullptr);
    if (!inserted) return refuse("duplicate key " + Json(name).dump(), key_begin());
    member_ = &member->second;
    return true;
  }
  bool parse_error(std::size_t read, const std::string& token, const nlohmann::detail::exception& error) {
    constexpr int kOverflow = 406;
    if (error.id == kOverflow) {
      refuse("the number " + token + " does not fit in a double", token_begin(token.size()));
      problem_->overflow = true;
      return false;
    }
    return refuse(detail_of(error.what()), read > 0 ? read - 1 : 0);
  }

 private:
  bool refuse(std::string what, std::size_t offset, std::string expected = "") {
    problem_ = JsonProblem{.what = std::move(what), .offset = offset, .expected = std::move(expected)};
    return false;
  }

  Json* place(Json value) {
    if (open_.empty()) return &(root_ = std::move(value));
    if (!open_.back()->is_array()) return &(*member_ = std::move(value));
    return &open_.back()->get_ref<Json::array_t&>().emplace_back(std::move(value));
  }

  bool put(Json value) {
    if (pruned_ == 0) place(std::move(value));
    return true;
  }

  bool open(Json value) {
    const bool deep = open_.size() == static_cast<std::size_t>(kMaxJsonDepth);
    if (deep && depth_ == JsonDepth::pruned) {
      if (pruned_++ == 0) place(nullptr);
      return true;
    }
    if (deep) {
      return refuse("nested too deep", read() - 1, fmt::format("at most {} levels", kMaxJsonDepth));
    }
    open_.push_back(place(std::move(value)));
    return true;
  }

  bool close() {
    if (pruned_ > 0) {
      --pruned_;
      return true;
    }
    open_.pop_back();
    return true;
  }

  std::size_t read() const { return static_cast<std::size_t>(*furthest_ - text_.data()); }

  // The lexer has read the number and, unless the text ends there, the byte after it.
  std::size_t token_begin(std::size_t length) const {
    std::size_t end = read();
    while (end > 0 && !(text_[end - 1] >= '0' && text_[end - 1] <= '9')) --end;
    return end - length;
  }

  // The lexer has just read the closing quote. A quote inside the key has a backslash before it, the opening
  // one none.
  std::size_t key_begin() const {
    std::size_t begin = read() - 1;
    do --begin;
    while (text_[begin] != '"' || (begin > 0 && text_[begin - 1] == '\\'));
    return begin;
  }

  // "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error while parsing value -
  // invalid literal; last read: 'x'" without what we say ourselves, and without "last read", which may not be
  // UTF-8.
  static std::string detail_of(std::string message) {
    if (message.find("ill-formed UTF-8") != std::string::npos) return "invalid UTF-8 in a string";
    if (std::size_t begin = message.find("syntax error"); begin != std::string::npos) message.erase(0, begin);
    if (std::size_t last = message.find("; last read"); last != std::string::npos) {
      std::size_t expected = message.find("; expected", last);
      message.erase(last, expected == std::string::npos ? expected : expected - last);
    }
    return message;
  }

  std::string_view text_;
  const char* const* furthest_;
  JsonDepth depth_;
  std::size_t pruned_ = 0;  // arrays and objects that are open in what is nested too deep
  Json root_;
  std::vector<Json*> open_;  // the arrays and objects that are not closed yet, outermost first
  Json* member_ = nullptr;   // where the value of the last key goes
  std::optional<JsonProblem> problem_;
};

}  // namespace

Json build_json(std::string_view text, JsonDepth depth, std::optional<JsonProblem>& problem) {
  const char* furthest = text.data();
  Builder builder(text, &furthest, depth);
  Json::sax_parse(CountingIterator(text.data(), &furthest),
                  CountingIterator(text.data() + text.size(), &furthest), &builder);
  problem = builder.problem();
  return builder.take();
}

void fail_json(const JsonProblem& problem, const std::string& where) {
  throw Error(ErrorKind::data, {.what = "invalid JSON: " + problem.what,
                                .where = fmt::format("{}, byte {}", where, problem.offset),
                                .expected = problem.expected});
}

}  // namespace surprisal
