#include "stream/check.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

namespace surprisal {
namespace {

// One stream under examination: every rule that fails throws with the place.
class Check {
 public:
  Check(const Stream& stream, const StreamLimits& limits, const std::string& where)
      : stream_(stream),
        limits_(limits),
        where_(where),
        rows_(static_cast<std::int64_t>(stream.token.size())) {}

  void lengths() const {
    if (rows_ > std::numeric_limits<std::int32_t>::max()) {
      throw Error(ErrorKind::data, {.what = "too many tokens for one stream",
                                    .where = where_,
                                    .found = fmt::format("{}", rows_),
                                    .expected = "at most 2147483647"});
    }
    length("visible", stream_.visible.size());  // first, as positions may have been derived from it
    length("position", stream_.position.size());
    length("block_position", stream_.block_position.size());
    length("segment", stream_.segment.size());
  }

  void rows() const {
    for (std::size_t row = 0; row < stream_.visible.size(); ++row) interval(row);
    ids("token", stream_.token, "id", limits_.vocabulary);
    ids("position", stream_.position, "position", limits_.positions);
    ids("block_position", stream_.block_position, "position", limits_.block_positions);
    ids("segment", stream_.segment, "segment", limits_.segments);
  }

  void targets() const {
    if (!limits_.targets && !stream_.target.empty()) {
      throw Error(ErrorKind::data, {.what = "targets for a model without a vocabulary head",
                                    .where = where_,
                                    .found = fmt::format("{}", stream_.target.size()),
                                    .fix = "use an objective over labels: the model is a classifier"});
    }
    scored("target", stream_.target, "id", &Target::id, limits_.vocabulary);
  }

  void labels() const {
    scored("label", stream_.label, "class", &Label::cls, limits_.classes);
    for (std::size_t i = 0; i < stream_.label.size(); ++i) {
      const float value = stream_.label[i].value;
      if (!std::isfinite(value)) fail("label", i, "impossible value", fmt::format("{}", value), "a number");
    }
  }

  void choices() const {
    std::int32_t end = 0;  // of the option before
    for (std::size_t i = 0; i < stream_.choice.size(); ++i) {
      const Choice& choice = stream_.choice[i];
      const auto count = static_cast<std::int64_t>(choice.option.size());
      if (count == 0) fail("choice", i, "a choice without an option", "0 options", "at least 1");
      weight("choice", i, choice.weight);
      below("choice", i, "answer", choice.answer, count);
      for (std::size_t k = 0; k < choice.option.size(); ++k) end = option(i, k, end);
    }
  }

  void sequences() const {
    std::int64_t end = 0;
    for (std::size_t i = 0; i < stream_.sequence.size(); ++i) {
      const Sequence& sequence = stream_.sequence[i];
      if (sequence.begin != end || sequence.end <= sequence.begin || sequence.end > rows_) {
        fail("sequence", i, "sequences do not cover the stream in order",
             fmt::format("[{}, {})", sequence.begin, sequence.end),
             fmt::format("to begin at {} and to end after it, by {}", end, rows_));
      }
      end = sequence.end;
    }
    if (end != rows_) {
      throw Error(ErrorKind::data, {.what = "sequences do not cover the stream",
                                    .where = where_ + ", sequence",
                                    .found = fmt::format("an end at {}", end),
                                    .expected = fmt::format("{}", rows_)});
    }
  }

 private:
  [[noreturn]] void fail(const char* array, std::size_t index, std::string what, std::string found,
                         std::string expected) const {
    throw Error(ErrorKind::data, {.what = std::move(what),
                                  .where = fmt::format("{}, {}[{}]", where_, array, index),
                                  .found = std::move(found),
                                  .expected = std::move(expected)});
  }

  void length(const char* array, std::size_t size) const {
    if (static_cast<std::int64_t>(size) == rows_) return;
    throw Error(ErrorKind::data, {.what = "arrays of unequal length",
                                  .where = fmt::format("{}, {}", where_, array),
                                  .found = fmt::format("{}", size),
                                  .expected = fmt::format("{}, as token has", rows_)});
  }

  // `limit` 0 or less: only the sign is checked.
  void below(const char* array, std::size_t index, const char* name, std::int32_t value,
             std::int64_t limit) const {
    if (value >= 0 && (limit <= 0 || value < limit)) return;
    fail(array, index, fmt::format("{} out of range", name), fmt::format("{}", value),
         limit > 0 ? fmt::format("at least 0 and below {}", limit) : "at least 0");
  }

  void ids(const char* array, const std::vector<std::int32_t>& values, const char* name,
           std::int64_t limit) const {
    for (std::size_t row = 0; row < values.size(); ++row) below(array, row, name, values[row], limit);
  }

  void interval(std::size_t row) const {
    const Interval& visible = stream_.visible[row];
    if (0 <= visible.begin && visible.begin <= visible.end && visible.end <= rows_) return;
    fail("visible", row, "interval leaves the stream", fmt::format("[{}, {})", visible.begin, visible.end),
         fmt::format("0 <= begin <= end <= {}", rows_));
  }

  void weight(const char* array, std::size_t index, float value) const {
    if (std::isfinite(value) && value >= 0) return;
    fail(array, index, "impossible weight", fmt::format("{}", value), "a finite number, at least 0");
  }

  // `before`: the first target that the option may have. Returns its end.
  std::int32_t option(std::size_t index, std::size_t k, std::int32_t before) const {
    const Interval& targets = stream_.choice[index].option[k];
    const auto count = static_cast<std::int64_t>(stream_.target.size());
    const std::string found = fmt::format("option {}: [{}, {})", k, targets.begin, targets.end);
    if (targets.begin < 0 || targets.end <= targets.begin || targets.end > count) {
      fail("choice", index, "an option is no range of targets", found,
           fmt::format("0 <= begin < end <= {}", count));
    }
    if (targets.begin < before) {
      fail("choice", index, "options overlap or are out of order", found,
           fmt::format("to begin at {} or later", before));
    }
    return targets.end;
  }

  template <class Scored>
  void scored(const char* array, const std::vector<Scored>& all, const char* answer_name,
              std::int32_t Scored::*answer, std::int64_t limit) const {
    std::int32_t before = -1;
    for (std::size_t i = 0; i < all.size(); ++i) {
      scored_row(array, i, all[i].row, before);
      weight(array, i, all[i].weight);
      below(array, i, answer_name, all[i].*answer, limit);
      before = all[i].row;
    }
  }

  void scored_row(const char* array, std::size_t index, std::int32_t row, std::int32_t before) const {
    if (row < 0 || row >= rows_) {
      fail(array, index, "row leaves the stream", fmt::format("{}", row),
           fmt::format("at least 0 and below {}", rows_));
    }
    if (before >= 0 && row < sequence_begin(before)) {
      fail(array, index, "a row of an earlier sequence follows", fmt::format("{} after {}", row, before),
           fmt::format("at least {}", sequence_begin(before)));
    }
  }

  // Of the sequence that holds the row; sequences were checked before.
  std::int32_t sequence_begin(std::int32_t row) const {
    auto after =
        std::upper_bound(stream_.sequence.begin(), stream_.sequence.end(), row,
                         [](std::int32_t value, const Sequence& sequence) { return value < sequence.begin; });
    return after == stream_.sequence.begin() ? 0 : std::prev(after)->begin;
  }

  const Stream& stream_;
  const StreamLimits& limits_;
  const std::string& where_;
  std::int64_t rows_;
};

}  // namespace

void check_stream(const Stream& stream, const StreamLimits& limits, const std::string& where) {
  Check check(stream, limits, where);
  check.lengths();
  check.rows();
  check.sequences();
  check.targets();
  check.labels();
  check.choices();
}

}  // namespace surprisal
