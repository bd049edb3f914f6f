// What people read of a classifier's predictions besides its loss. Each is what scikit-learn, scipy and
// seqeval's default mode (the rules of conlleval) give.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "surprisal/evaluation.h"
#include "surprisal/stream.h"

#include "model/transformer.h"
#include "objective/mixture.h"

namespace surprisal {

// Right and predicted classes, one each. F1 of class 1, the positive one of two; 0 where nothing is right.
double binary_f1(std::span<const std::int32_t> right, std::span<const std::int32_t> predicted);
// Mean of the F1 of every class that is right or predicted somewhere.
double macro_f1(std::span<const std::int32_t> right, std::span<const std::int32_t> predicted);
// Matthews' correlation, of several classes Gorodkin's R_K (2004); 0 where it is not defined.
double matthews_correlation(std::span<const std::int32_t> right, std::span<const std::int32_t> predicted);

// 0 where one of them does not vary.
double pearson(std::span<const double> x, std::span<const double> y);
// Pearson's of the ranks; equals share the mean of theirs.
double spearman(std::span<const double> x, std::span<const double> y);

// Entities of the words of one text: tags "B-PER", "I-PER", also "E-" and "S-"; others belong to none.
struct Entity {
  std::size_t begin = 0, end = 0;  // words
  std::string type;
  friend auto operator<=>(const Entity&, const Entity&) = default;
};
std::vector<Entity> find_entities(std::span<const std::string> tags);
bool are_entity_tags(std::span<const std::string> class_names);

// Collects what the metrics of a mixture's objective need.
class MetricCounter {
 public:
  explicit MetricCounter(const Mixture& mixture);
  void add(const Stream& stream, const StreamResult& result);
  std::vector<Metric> metrics() const;

 private:
  void add_labels(const Stream& stream, const StreamResult& result);
  void add_words(const Stream& stream, const StreamResult& result);
  void add_sequences(const Stream& stream, const StreamResult& result);
  void count_entities(std::span<const std::string> right, std::span<const std::string> predicted);

  Classifier classifier_;
  bool completions_;  // samples are right as a whole where greedy decoding would give them
  std::vector<std::string> names_;
  bool entities_;
  std::vector<std::int32_t> right_, predicted_;
  std::vector<double> value_, predicted_value_;
  std::uint64_t sequences_ = 0, right_sequences_ = 0;
  std::uint64_t right_entities_ = 0, predicted_entities_ = 0, common_entities_ = 0;
};

}  // namespace surprisal
