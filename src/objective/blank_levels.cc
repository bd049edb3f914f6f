#include "objective/blank_levels.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/options.h"
#include "objective/specification.h"

namespace surprisal {
namespace {

constexpr const char* kKey = "objective.blank_infilling.level";
constexpr std::array<std::string_view, 3> kNames{"token", "sentence", "document"};

std::size_t level_of(const std::string& text, const WrittenTerm& term) {
  const auto found = std::find(kNames.begin(), kNames.end(), term.name);
  if (found != kNames.end()) return static_cast<std::size_t>(found - kNames.begin());
  const std::string near = nearest_name(term.name, {kNames.begin(), kNames.end()});
  throw specification_error(text, term.offset,
                            {.what = "unknown level " + term.name,
                             .expected = fmt::format("one of {}", fmt::join(kNames, ", ")),
                             .fix = near.empty() ? "" : fmt::format("did you mean {}?", near)},
                            kKey);
}

}  // namespace

std::string_view level_name(BlankLevel level) {
  return kNames[static_cast<std::size_t>(level)];
}

std::vector<LevelShare> parse_levels(const std::string& text) {
  std::array<double, kNames.size()> shares{};
  double sum = 0;
  for (const WrittenPart& part : parse_specification(text, kKey)) {
    if (part.terms.size() > 1) {
      throw specification_error(text, part.terms[1].offset,
                                {.what = "levels have no sum", .expected = "'|' between them"}, kKey);
    }
    const double share = part.share * part.terms.front().weight;
    shares[level_of(text, part.terms.front())] += share;
    sum += share;
  }
  if (!(sum > 0)) {
    throw specification_error(text, 0, {.what = "shares sum to 0", .expected = "a share above 0"}, kKey);
  }
  std::vector<LevelShare> levels;
  for (std::size_t level = 0; level < shares.size(); ++level) {
    if (shares[level] > 0) levels.push_back({static_cast<BlankLevel>(level), shares[level] / sum});
  }
  return levels;
}

}  // namespace surprisal
