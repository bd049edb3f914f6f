#include "text/tokenizer/vocabulary.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

#include "surprisal/error.h"

#include "text/tokenizer/component_json.h"

namespace surprisal {
namespace {

std::int32_t checked_id(const Json& value, const std::string& spelling, const std::string& where) {
  // An integer above 63 bits is unsigned and would read as negative.
  bool fits = value.is_number_integer() && value.get<std::int64_t>() >= 0 &&
              value.get<std::int64_t>() < kMaxVocabulary;
  if (!fits) {
    throw Error(ErrorKind::data, {.what = fmt::format("token {} has a wrong id", Json(spelling).dump()),
                                  .where = where,
                                  .found = value.dump(),
                                  .expected = fmt::format("an integer in [0, {}]", kMaxVocabulary - 1)});
  }
  return value.get<std::int32_t>();
}

}  // namespace

std::size_t Vocabulary::Hash::operator()(std::string_view text) const {
  return XXH3_64bits(text.data(), text.size());
}

Vocabulary::Vocabulary(const Json& json, const std::string& where) {
  if (!json.is_object()) {
    throw Error(ErrorKind::data, {.what = "the vocabulary is no object", .where = where});
  }
  std::int32_t size = 0;
  for (const auto& [spelling, id] : json.items()) size = std::max(size, checked_id(id, spelling, where) + 1);
  spellings_.resize(static_cast<std::size_t>(size));
  ids_.reserve(json.size());
  std::vector<bool> taken(static_cast<std::size_t>(size));
  for (const auto& [spelling, value] : json.items()) {
    auto id = value.get<std::size_t>();
    if (taken[id]) {
      throw Error(ErrorKind::data,
                  {.what = fmt::format("id {} is given to two tokens", id),
                   .where = where,
                   .found = fmt::format("{} and {}", Json(spellings_[id]).dump(), Json(spelling).dump())});
    }
    taken[id] = true;
    spellings_[id] = spelling;
    ids_.emplace(spellings_[id], static_cast<std::int32_t>(id));
  }
}

Vocabulary::Vocabulary(std::vector<std::string> spellings, const std::string& where)
    : spellings_(std::move(spellings)) {
  if (spellings_.size() > static_cast<std::size_t>(kMaxVocabulary)) {
    throw Error(ErrorKind::data, {.what = "the vocabulary is too large",
                                  .where = where,
                                  .found = fmt::format("{} tokens", spellings_.size()),
                                  .expected = fmt::format("at most {}", kMaxVocabulary)});
  }
  ids_.reserve(spellings_.size());
  for (std::size_t id = 0; id < spellings_.size(); ++id) {
    auto [known, added] = ids_.emplace(spellings_[id], static_cast<std::int32_t>(id));
    if (added) continue;
    throw Error(ErrorKind::data, {.what = fmt::format("token {} is there twice", to_line(spellings_[id])),
                                  .where = where,
                                  .found = fmt::format("ids {} and {}", known->second, id)});
  }
}

std::optional<std::int32_t> Vocabulary::id(std::string_view spelling) const {
  auto found = ids_.find(spelling);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

std::string_view Vocabulary::spelling(std::int32_t id) const {
  if (id < 0 || id >= size()) return {};
  return spellings_[static_cast<std::size_t>(id)];
}

bool Vocabulary::contains(std::int32_t id) const {
  // Only the empty spelling cannot tell itself from a gap.
  std::string_view text = spelling(id);
  return !text.empty() || this->id(text) == id;
}

}  // namespace surprisal
