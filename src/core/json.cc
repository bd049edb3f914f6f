#include "core/json.h"

#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

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
  struct Problem {
    std::string what;
    std::size_t offset = 0;
    std::string expected;
  };

  Builder(std::string_view text, const char* const* furthest) : text_(text), furthest_(furthest) {}

  const std::optional<Problem>& problem() const { return problem_; }
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
    auto [member, inserted] = open_.back()->get_ref<Json::object_t&>().emplace(name, nullptr);
    if (!inserted) return refuse("duplicate key " + Json(name).dump(), key_begin());
    member_ = &member->second;
    return true;
  }
  bool parse_error(std::size_t read, const std::string& token, const nlohmann::detail::exception& error) {
    constexpr int kOverflow = 406;
    if (error.id == kOverflow) {
      return refuse("the number " + token + " does not fit in a double", token_begin(token.size()));
    }
    return refuse(detail_of(error.what()), read > 0 ? read - 1 : 0);
  }

 private:
  bool refuse(std::string what, std::size_t offset, std::string expected = "") {
    problem_ = Problem{std::move(what), offset, std::move(expected)};
    return false;
  }

  Json* place(Json value) {
    if (open_.empty()) return &(root_ = std::move(value));
    if (!open_.back()->is_array()) return &(*member_ = std::move(value));
    return &open_.back()->get_ref<Json::array_t&>().emplace_back(std::move(value));
  }

  bool put(Json value) {
    place(std::move(value));
    return true;
  }

  bool open(Json value) {
    if (open_.size() == static_cast<std::size_t>(kMaxJsonDepth)) {
      return refuse("nested too deep", read() - 1, fmt::format("at most {} levels", kMaxJsonDepth));
    }
    open_.push_back(place(std::move(value)));
    return true;
  }

  bool close() {
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
  Json root_;
  std::vector<Json*> open_;  // the arrays and objects that are not closed yet, outermost first
  Json* member_ = nullptr;   // where the value of the last key goes
  std::optional<Problem> problem_;
};

std::string describe(const Json& value) {
  switch (value.type()) {
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "an array";
    case Json::value_t::null:
      return "null";
    default: {
      std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
      return text.size() <= 64 ? text : "a long string";
    }
  }
}

[[noreturn]] void fail_value(const Json& value, const char* key, const std::string& where,
                             std::string expected) {
  throw Error(ErrorKind::data, {.what = fmt::format("key {} has a wrong value", key),
                                .where = where,
                                .found = describe(value),
                                .expected = std::move(expected)});
}

// The value of `key`, or null if it is absent or null.
const Json* find(const Json& object, const char* key, const std::string& where) {
  if (!object.is_object()) {
    throw Error(ErrorKind::data, {.what = fmt::format("cannot look up key {}", key),
                                  .where = where,
                                  .found = describe(object),
                                  .expected = "an object"});
  }
  auto member = object.find(key);
  return member == object.end() || member->is_null() ? nullptr : &*member;
}

std::int64_t checked_int(const Json& value, const char* key, const std::string& where, std::int64_t min,
                         std::int64_t max) {
  bool fits =
      value.is_number_integer() &&
      (!value.is_number_unsigned() ||
       value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  std::int64_t number = fits ? value.get<std::int64_t>() : 0;
  if (!fits || number < min || number > max) {
    fail_value(value, key, where, fmt::format("an integer in [{}, {}]", min, max));
  }
  return number;
}

}  // namespace

Json parse_json(std::string_view text, const std::string& where) {
  const char* furthest = text.data();
  Builder builder(text, &furthest);
  bool ok = Json::sax_parse(CountingIterator(text.data(), &furthest),
                            CountingIterator(text.data() + text.size(), &furthest), &builder);
  if (!ok) {
    const Builder::Problem& problem = *builder.problem();
    throw Error(ErrorKind::data, {.what = "invalid JSON: " + problem.what,
                                  .where = fmt::format("{}, byte {}", where, problem.offset),
                                  .expected = problem.expected});
  }
  return builder.take();
}

const Json& require(const Json& object, const char* key, const std::string& where) {
  if (object.is_object()) {
    if (auto member = object.find(key); member != object.end()) return *member;
  }
  find(object, key, where);
  throw Error(ErrorKind::data, {.what = fmt::format("key {} is missing", key), .where = where});
}

std::int64_t get_int(const Json& object, const char* key, const std::string& where, std::int64_t min,
                     std::int64_t max) {
  return checked_int(require(object, key, where), key, where, min, max);
}

std::int64_t get_int_or(const Json& object, const char* key, const std::string& where, std::int64_t min,
                        std::int64_t max, std::int64_t fallback) {
  const Json* value = find(object, key, where);
  return value ? checked_int(*value, key, where, min, max) : fallback;
}

double get_number_or(const Json& object, const char* key, const std::string& where, double min, double max,
                     double fallback) {
  const Json* value = find(object, key, where);
  if (!value) return fallback;
  double number = value->is_number() ? value->get<double>() : std::nan("");
  if (!(number >= min && number <= max))
    fail_value(*value, key, where, fmt::format("a number in [{}, {}]", min, max));
  return number;
}

bool get_bool_or(const Json& object, const char* key, const std::string& where, bool fallback) {
  const Json* value = find(object, key, where);
  if (!value) return fallback;
  if (!value->is_boolean()) fail_value(*value, key, where, "true or false");
  return value->get<bool>();
}

std::string get_string(const Json& object, const char* key, const std::string& where) {
  const Json& value = require(object, key, where);
  if (!value.is_string()) fail_value(value, key, where, "a string");
  return value.get<std::string>();
}

std::string get_string_or(const Json& object, const char* key, const std::string& where,
                          std::string fallback) {
  const Json* value = find(object, key, where);
  if (!value) return fallback;
  if (!value->is_string()) fail_value(*value, key, where, "a string");
  return value->get<std::string>();
}

std::string to_line(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace surprisal
