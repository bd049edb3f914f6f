#include "infer/sampling.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/special_tokens.h"

namespace surprisal {
namespace {

void fail(const char* option, std::string found, const char* expected) {
  throw Error(
      ErrorKind::usage,
      {.what = fmt::format("{} is out of range", option), .found = std::move(found), .expected = expected});
}

}  // namespace

void check(const SamplingOptions& options) {
  if (!(options.temperature >= 0 && std::isfinite(options.temperature)))
    fail("temperature", fmt::format("{}", options.temperature), "a number of 0 or above");
  if (options.top_k < 0) fail("top_k", fmt::format("{}", options.top_k), "0 or above");
  if (!(options.top_p > 0 && options.top_p <= 1))
    fail("top_p", fmt::format("{}", options.top_p), "a number in (0, 1]");
}

double log_sum_exp(std::span<const float> logits) {
  const float most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float logit : logits) sum += std::exp(double{logit} - most);
  if (!std::isfinite(most) || !std::isfinite(sum)) {
    throw Error(ErrorKind::diverged, {.what = "a logit of the model is not finite",
                                      .fix = "look for weights that are not finite"});
  }
  return most + std::log(sum);
}

std::vector<std::int32_t> drawable_tokens(const Tokenizer& tokenizer, std::int64_t vocabulary,
                                          std::span<const std::int32_t> ends) {
  std::vector<std::int32_t> ids;
  const std::int64_t size = std::min<std::int64_t>(vocabulary, tokenizer.vocabulary_size());
  std::set<std::int32_t> roles;  // which some files do not mark as special
  for (const auto& [role, id] : roles_of(tokenizer.special())) roles.insert(id);
  if (const std::optional<std::int32_t> noise = tokenizer.id("[dBLOCK]")) roles.insert(*noise);
  for (std::int32_t id = 0; id < size; ++id) {
    const bool text = !tokenizer.is_special(id) && !tokenizer.token(id).empty() && !roles.contains(id);
    if (text || std::find(ends.begin(), ends.end(), id) != ends.end()) ids.push_back(id);
  }
  return ids;
}

TokenSampler::TokenSampler(const SamplingOptions& options, const std::vector<std::int32_t>& drawable,
                           std::uint64_t sample)
    : options_(options), drawable_(drawable), random_({options.seed, sample, 0, Purpose::sampling}) {}

DrawnToken TokenSampler::draw(std::span<const float> logits, std::span<const std::int32_t> banned) {
  const double sum = log_sum_exp(logits);
  const std::int32_t id = choose(logits, banned);
  return {id, sum - logits[static_cast<std::size_t>(id)]};
}

std::int32_t TokenSampler::choose(std::span<const float> logits, std::span<const std::int32_t> banned) {
  if (banned.empty() && (options_.temperature == 0 || options_.top_k == 1)) {
    return *std::ranges::max_element(drawable_, {},
                                     [&](std::int32_t id) { return logits[static_cast<std::size_t>(id)]; });
  }
  ids_ = drawable_;
  if (!banned.empty()) {
    std::erase_if(ids_, [&](std::int32_t id) { return std::ranges::find(banned, id) != banned.end(); });
    if (ids_.empty()) ids_ = drawable_;
  }
  sorted_ = 0;
  if (options_.temperature == 0 || options_.top_k == 1) {
    sort_best(logits, 1);
    return ids_.front();
  }
  return options_.top_k == 0 && options_.top_p == 1 ? draw_of_all(logits) : draw_of_best(logits);
}

// Probability up to a constant.
double TokenSampler::weight(float logit, float most) const {
  return std::exp((double{logit} - most) / options_.temperature);
}

std::int32_t TokenSampler::draw_of_all(std::span<const float> logits) {
  const auto logit = [&](std::int32_t id) { return logits[static_cast<std::size_t>(id)]; };
  float most = logit(ids_.front());
  for (std::int32_t id : ids_) most = std::max(most, logit(id));
  double total = 0;
  for (std::int32_t id : ids_) total += weight(logit(id), most);
  double left = random_.uniform() * total;
  for (std::int32_t id : ids_) {
    if ((left -= weight(logit(id), most)) < 0) return id;
  }
  return ids_.back();  // takes what rounding leaves
}

std::int32_t TokenSampler::draw_of_best(std::span<const float> logits) {
  const auto logit = [&](std::size_t rank) { return logits[static_cast<std::size_t>(ids_[rank])]; };
  sort_best(logits, 1);
  const float most = logit(0);
  const std::size_t k =
      options_.top_k > 0 ? std::min(static_cast<std::size_t>(options_.top_k), ids_.size()) : ids_.size();
  if (options_.top_k > 0) sort_best(logits, k);
  double total = 0;
  for (std::size_t rank = 0; rank < k; ++rank) total += weight(logit(rank), most);
  std::vector<double> cumulative;
  while (cumulative.size() < k && (cumulative.empty() || cumulative.back() < options_.top_p * total)) {
    const std::size_t rank = cumulative.size();
    if (rank == sorted_) sort_best(logits, 2 * rank);
    cumulative.push_back((rank > 0 ? cumulative.back() : 0) + weight(logit(rank), most));
  }
  const auto chosen =
      std::upper_bound(cumulative.begin(), cumulative.end(), random_.uniform() * cumulative.back());
  return ids_[std::min(static_cast<std::size_t>(chosen - cumulative.begin()), cumulative.size() - 1)];
}

// Of equals the smaller id comes first.
void TokenSampler::sort_best(std::span<const float> logits, std::size_t count) {
  const auto place = [&](std::size_t rank) { return ids_.begin() + static_cast<std::ptrdiff_t>(rank); };
  count = std::min(count, ids_.size());
  if (count <= sorted_) return;
  std::partial_sort(place(sorted_), place(count), ids_.end(), [&](std::int32_t a, std::int32_t b) {
    const float x = logits[static_cast<std::size_t>(a)], y = logits[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  });
  sorted_ = count;
}

}  // namespace surprisal
