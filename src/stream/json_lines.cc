#include "stream/json_lines.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/json.h"
#include "core/options.h"
#include "stream/check.h"

namespace surprisal {
namespace {

std::string number(float weight) {
  std::string shortest = fmt::format("{}", weight);
  // Readers go through a double, which in rare cases rounds the shortest digits of a float to its neighbour.
  double read = 0;
  std::from_chars(shortest.data(), shortest.data() + shortest.size(), read);
  if (static_cast<float>(read) == weight) return shortest;
  return fmt::format("{}", static_cast<double>(weight));
}

template <typename T, typename Write>
void write_array(std::string& json, const char* key, const std::vector<T>& values, Write write) {
  json += json.empty() ? "{" : ",";
  fmt::format_to(std::back_inserter(json), "\"{}\":[", key);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) json += ',';
    write(values[i]);
  }
  json += ']';
}

// Only where there are some: the line of every other stream stays as it is.
void write_choices(std::string& json, const std::vector<Choice>& choices) {
  if (choices.empty()) return;
  write_array(json, "choice", choices, [&](const Choice& choice) {
    json += "{\"options\":[";
    for (std::size_t k = 0; k < choice.option.size(); ++k) {
      fmt::format_to(std::back_inserter(json), "{}[{},{}]", k > 0 ? "," : "", choice.option[k].begin,
                     choice.option[k].end);
    }
    fmt::format_to(std::back_inserter(json), "],\"answer\":{},\"weight\":{}}}", choice.answer,
                   number(choice.weight));
  });
}

// Reads the arrays of one line; every error names the line, the key and the place in its array.
class Reader {
 public:
  Reader(const Json& line, const std::string& where) : line_(line), where_(where) {}

  void check_keys() const {
    static const std::vector<std::string> known{"token",   "position", "block_position", "segment",
                                                "visible", "target",   "label",          "choice"};
    if (!line_.is_object()) fail(where_, "a stream is a JSON object", line_, "{\"token\":[...], ...}");
    for (const auto& [key, value] : line_.items()) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      std::string near = nearest_name(key, known);
      throw Error(ErrorKind::data, {.what = fmt::format("unknown key {}", key),
                                    .where = where_,
                                    .fix = near.empty() ? "" : fmt::format("did you mean {}?", near)});
    }
  }

  bool has(const char* key) const { return line_.contains(key); }

  std::vector<std::int32_t> integers(const char* key) const {
    std::vector<std::int32_t> values;
    for (const Json& value : array(key)) values.push_back(integer(value, place(key, values.size())));
    return values;
  }

  std::vector<Interval> intervals(const char* key) const {
    std::vector<Interval> values;
    for (const Json& value : array(key)) values.push_back(interval(value, place(key, values.size())));
    return values;
  }

  std::vector<Choice> choices() const {
    std::vector<Choice> values;
    if (!has("choice")) return values;
    for (const Json& value : array("choice")) values.push_back(choice(value, place("choice", values.size())));
    return values;
  }

  std::vector<Target> targets() const {
    std::vector<Target> values;
    if (!has("target")) return values;
    for (const Json& value : array("target")) {
      const std::string at = place("target", values.size());
      const Json& triple = tuple(value, 3, at, "[row, id, weight]");
      values.push_back({integer(triple[0], at), integer(triple[1], at), real(triple[2], at, "weight")});
    }
    return values;
  }

  std::vector<Label> labels() const {
    std::vector<Label> values;
    if (!has("label")) return values;
    for (const Json& value : array("label")) {
      const std::string at = place("label", values.size());
      const bool number = value.is_array() && value.size() == 4;  // of a regression
      const Json& entry = tuple(value, number ? 4 : 3, at, "[row, class, weight] or [row, 0, weight, value]");
      values.push_back({integer(entry[0], at), integer(entry[1], at), real(entry[2], at, "weight"),
                        number ? real(entry[3], at, "value") : 0});
    }
    return values;
  }

 private:
  [[noreturn]] static void fail(const std::string& where, const char* what, const Json& found,
                                const std::string& expected) {
    constexpr std::size_t kLongest = 64;
    std::string text = found.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() > kLongest) text = fmt::format("a long {}", found.type_name());
    throw Error(ErrorKind::data,
                {.what = what, .where = where, .found = std::move(text), .expected = expected});
  }

  std::string place(const char* key, std::size_t index) const {
    return fmt::format("{}, {}[{}]", where_, key, index);
  }

  const Json& array(const char* key) const {
    const Json& value = require(line_, key, where_);
    if (!value.is_array()) fail(fmt::format("{}, {}", where_, key), "wrong type", value, "an array");
    return value;
  }

  static const Json& tuple(const Json& value, std::size_t size, const std::string& at, const char* form) {
    if (!value.is_array() || value.size() != size) fail(at, "wrong form", value, form);
    return value;
  }

  static float real(const Json& value, const std::string& at, const char* name) {
    if (!value.is_number()) fail(at, "wrong type", value, fmt::format("a number as {}", name));
    return value.get<float>();
  }

  static Interval interval(const Json& value, const std::string& at) {
    const Json& pair = tuple(value, 2, at, "[begin, end]");
    return {integer(pair[0], at), integer(pair[1], at)};
  }

  static Choice choice(const Json& value, const std::string& at) {
    constexpr const char* kForm = "{\"options\":[[begin, end], ...],\"answer\":index,\"weight\":number}";
    if (!value.is_object() || value.size() != 3 || !value.contains("options") || !value.contains("answer") ||
        !value.contains("weight") || !value["options"].is_array()) {
      fail(at, "wrong form", value, kForm);
    }
    Choice choice{.answer = integer(value["answer"], at), .weight = real(value["weight"], at, "weight")};
    for (const Json& option : value["options"]) {
      choice.option.push_back(interval(option, fmt::format("{}, options[{}]", at, choice.option.size())));
    }
    return choice;
  }

  static std::int32_t integer(const Json& value, const std::string& at) {
    constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();
    bool fits = value.is_number_unsigned()
                    ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(kLargest)
                : value.is_number_integer() ? value.get<std::int64_t>() >= -kLargest
                                            : false;
    if (!fits) fail(at, "wrong value", value, "a whole number of 32 bits");
    return value.get<std::int32_t>();
  }

  const Json& line_;
  const std::string& where_;
};

}  // namespace

std::string stream_to_json(const Stream& stream) {
  std::string json;
  auto integer = [&](std::int32_t value) { fmt::format_to(std::back_inserter(json), "{}", value); };
  auto interval = [&](Interval value) {
    fmt::format_to(std::back_inserter(json), "[{},{}]", value.begin, value.end);
  };
  auto scored = [&](std::int32_t row, std::int32_t answer, float weight, float value = 0) {
    fmt::format_to(std::back_inserter(json), "[{},{},{}", row, answer, number(weight));
    if (value != 0) fmt::format_to(std::back_inserter(json), ",{}", number(value));
    json += ']';
  };
  write_array(json, "token", stream.token, integer);
  write_array(json, "position", stream.position, integer);
  write_array(json, "block_position", stream.block_position, integer);
  write_array(json, "segment", stream.segment, integer);
  write_array(json, "visible", stream.visible, interval);
  write_array(json, "target", stream.target, [&](const Target& t) { scored(t.row, t.id, t.weight); });
  write_array(json, "label", stream.label, [&](const Label& l) { scored(l.row, l.cls, l.weight, l.value); });
  write_choices(json, stream.choice);
  return json += '}';
}

Stream stream_from_json(std::string_view line, const std::string& where) {
  Json json = parse_json(line, where);
  Reader reader(json, where);
  reader.check_keys();
  Stream stream;
  stream.token = reader.integers("token");
  if (stream.token.empty())
    throw Error(ErrorKind::data, {.what = "a stream without a token", .where = where});
  stream.visible = reader.intervals("visible");
  if (reader.has("position")) {
    stream.position = reader.integers("position");
  } else {
    std::int64_t row = 0;
    for (Interval visible : stream.visible) {
      stream.position.push_back(static_cast<std::int32_t>(row++ - visible.begin));
    }
  }
  std::vector<std::int32_t> zeros(stream.token.size());
  stream.block_position = reader.has("block_position") ? reader.integers("block_position") : zeros;
  stream.segment = reader.has("segment") ? reader.integers("segment") : zeros;
  stream.target = reader.targets();
  stream.label = reader.labels();
  stream.choice = reader.choices();
  stream.sequence.push_back({.begin = 0, .end = stream.size()});
  check_stream(stream, {}, where);
  return stream;
}

}  // namespace surprisal
