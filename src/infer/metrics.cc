#include "infer/metrics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

namespace surprisal {
namespace {

double ratio(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

double f1_of(double right, double predicted, double common) {
  return ratio(2 * common, right + predicted);
}

// Of one class: how often it is right, predicted, and both.
struct ClassCounts {
  double right = 0, predicted = 0, common = 0;
};
std::map<std::int32_t, ClassCounts> count_classes(std::span<const std::int32_t> right,
                                                  std::span<const std::int32_t> predicted) {
  std::map<std::int32_t, ClassCounts> classes;
  for (std::size_t i = 0; i < right.size(); ++i) {
    classes[right[i]].right += 1;
    classes[predicted[i]].predicted += 1;
    if (right[i] == predicted[i]) classes[right[i]].common += 1;
  }
  return classes;
}

std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t index) { return values[index]; });
  std::vector<double> rank(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double mean = 0.5 * static_cast<double>(begin + end - 1);
    for (; begin < end; ++begin) rank[order[begin]] = mean;
  }
  return rank;
}

struct Tag {
  char place = 'O';  // B, I, E, S, or O
  std::string type;
};
Tag read_tag(const std::string& name) {
  constexpr std::string_view kPlaces = "BIES";
  const bool entity = name.size() > 2 && name[1] == '-' && kPlaces.find(name[0]) != kPlaces.npos;
  return entity ? Tag{name[0], name.substr(2)} : Tag{};
}

bool is_inside(char place) {
  return place == 'B' || place == 'I';
}
// Whether an entity ends behind `before`, or begins at `tag`.
bool ends(const Tag& before, const Tag& tag) {
  if (before.place == 'E' || before.place == 'S') return true;
  if (is_inside(before.place) && (tag.place == 'B' || tag.place == 'S' || tag.place == 'O')) return true;
  return before.place != 'O' && before.type != tag.type;
}
bool begins(const Tag& before, const Tag& tag) {
  if (tag.place == 'B' || tag.place == 'S') return true;
  const bool outside = before.place == 'E' || before.place == 'S' || before.place == 'O';
  if (outside && (tag.place == 'E' || tag.place == 'I')) return true;
  return tag.place != 'O' && before.type != tag.type;
}

// [begin, end) of `entries` whose row lies in each sequence, in turn.
template <class Entries, class Use>
void for_each_sequence(const Stream& stream, const Entries& entries, Use&& use) {
  std::size_t begin = 0;
  for (const Sequence& sequence : stream.sequence) {
    std::size_t end = begin;
    while (end < entries.size() && entries[end].row < sequence.end) ++end;
    if (end > begin) use(begin, end);
    begin = end;
  }
}

}  // namespace

double binary_f1(std::span<const std::int32_t> right, std::span<const std::int32_t> predicted) {
  const auto positive = count_classes(right, predicted)[1];
  return f1_of(positive.right, positive.predicted, positive.common);
}

double macro_f1(std::span<const std::int32_t> right, std::span<const std::int32_t> predicted) {
  const auto classes = count_classes(right, predicted);
  double sum = 0;
  for (const auto& [index, counts] : classes) sum += f1_of(counts.right, counts.predicted, counts.common);
  return ratio(sum, static_cast<double>(classes.size()));
}

double matthews_correlation(std::span<const std::int32_t> right, std::span<const std::int32_t> predicted) {
  const auto count = static_cast<double>(right.size());
  double common = 0, product = 0, right_squares = 0, predicted_squares = 0;
  for (const auto& [index, counts] : count_classes(right, predicted)) {
    common += counts.common;
    product += counts.right * counts.predicted;
    right_squares += counts.right * counts.right;
    predicted_squares += counts.predicted * counts.predicted;
  }
  const double covariance = common * count - product;
  const double variance = (count * count - right_squares) * (count * count - predicted_squares);
  return variance > 0 ? covariance / std::sqrt(variance) : 0;
}

double pearson(std::span<const double> x, std::span<const double> y) {
  const auto count = static_cast<double>(x.size());
  const double mean_x = ratio(std::accumulate(x.begin(), x.end(), 0.0), count),
               mean_y = ratio(std::accumulate(y.begin(), y.end(), 0.0), count);
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double dx = x[i] - mean_x, dy = y[i] - mean_y;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

double spearman(std::span<const double> x, std::span<const double> y) {
  return pearson(ranks(x), ranks(y));
}

std::vector<Entity> find_entities(std::span<const std::string> tags) {
  std::vector<Entity> entities;
  Tag before;
  std::size_t begin = 0;
  for (std::size_t word = 0; word <= tags.size(); ++word) {
    Tag tag = word < tags.size() ? read_tag(tags[word]) : Tag{};
    if (before.place != 'O' && ends(before, tag)) entities.push_back({begin, word, before.type});
    if (begins(before, tag)) begin = word;
    before = std::move(tag);
  }
  return entities;
}

bool are_entity_tags(std::span<const std::string> class_names) {
  return std::ranges::any_of(class_names,
                             [](const std::string& name) { return read_tag(name).place != 'O'; });
}

MetricCounter::MetricCounter(const Mixture& mixture)
    : classifier_(mixture.classifier()),
      completions_(mixture.parts().size() == 1 && mixture.kinds().front() == DocumentKind::pair &&
                   mixture.has_tokens()),
      names_(mixture.class_names()),
      entities_(classifier_ == Classifier::word && are_entity_tags(names_)) {}

void MetricCounter::add(const Stream& stream, const StreamResult& result) {
  if (completions_) add_sequences(stream, result);
  if (classifier_ == Classifier::number) {
    for (std::size_t i = 0; i < stream.label.size(); ++i) {
      value_.push_back(stream.label[i].value);
      predicted_value_.push_back(result.label.value[i]);
    }
  } else if (classifier_ != Classifier::none) {
    add_labels(stream, result);
  }
  if (classifier_ == Classifier::word) add_words(stream, result);
}

void MetricCounter::add_labels(const Stream& stream, const StreamResult& result) {
  for (std::size_t i = 0; i < stream.label.size(); ++i) {
    right_.push_back(stream.label[i].cls);
    predicted_.push_back(result.label.predicted[i]);
  }
}

void MetricCounter::add_words(const Stream& stream, const StreamResult& result) {
  for_each_sequence(stream, stream.label, [&](std::size_t begin, std::size_t end) {
    std::vector<std::string> right, predicted;
    for (std::size_t i = begin; i < end; ++i) {
      right.push_back(names_[static_cast<std::size_t>(stream.label[i].cls)]);
      predicted.push_back(names_[static_cast<std::size_t>(result.label.predicted[i])]);
    }
    ++sequences_;
    right_sequences_ += right == predicted;
    if (entities_) count_entities(right, predicted);
  });
}

// Greedy decoding gives a completion where every target is the most probable token behind those before it.
void MetricCounter::add_sequences(const Stream& stream, const StreamResult& result) {
  for_each_sequence(stream, stream.target, [&](std::size_t begin, std::size_t end) {
    bool right = true;
    for (std::size_t i = begin; i < end; ++i)
      right = right && result.token.predicted[i] == stream.target[i].id;
    ++sequences_;
    right_sequences_ += right;
  });
}

void MetricCounter::count_entities(std::span<const std::string> right,
                                   std::span<const std::string> predicted) {
  const std::vector<Entity> a = find_entities(right), b = find_entities(predicted);
  right_entities_ += a.size();
  predicted_entities_ += b.size();
  for (const Entity& entity : b) common_entities_ += std::ranges::find(a, entity) != a.end();
}

std::vector<Metric> MetricCounter::metrics() const {
  std::vector<Metric> metrics;
  if (classifier_ == Classifier::number) {
    metrics.push_back({"pearson", pearson(value_, predicted_value_)});
    metrics.push_back({"spearman", spearman(value_, predicted_value_)});
  }
  if (classifier_ == Classifier::text || (classifier_ == Classifier::word && !entities_)) {
    if (names_.size() == 2) {
      metrics.push_back({"f1", binary_f1(right_, predicted_)});
    } else {
      metrics.push_back({"macro_f1", macro_f1(right_, predicted_)});
    }
    metrics.push_back({"matthews", matthews_correlation(right_, predicted_)});
  }
  if (entities_) {
    const auto right = static_cast<double>(right_entities_),
               predicted = static_cast<double>(predicted_entities_),
               common = static_cast<double>(common_entities_);
    metrics.push_back({"precision", ratio(common, predicted)});
    metrics.push_back({"recall", ratio(common, right)});
    metrics.push_back({"f1", f1_of(right, predicted, common)});
  }
  if (sequences_ > 0) {
    metrics.push_back(
        {"exact_match", ratio(static_cast<double>(right_sequences_), static_cast<double>(sequences_))});
  }
  return metrics;
}

}  // namespace surprisal
