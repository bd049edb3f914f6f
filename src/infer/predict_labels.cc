#include "infer/predict_labels.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "infer/limits.h"
#include "objective/sampler.h"
#include "stream/check.h"
#include "stream/packing.h"

namespace surprisal {
namespace {

// A text's label asks for every class in turn: its surprisals are the whole distribution.
void ask_for_all(std::int64_t classes, Stream& sample) {
  const Label label = sample.label.front();
  sample.label.clear();
  for (std::int32_t cls = 0; cls < classes; ++cls) sample.label.push_back({label.row, cls, 1});
}

class Predictor {
 public:
  Predictor(Transformer& model, const TokenCorpus& corpus, const Mixture& mixture, const Capacity& capacity,
            const std::function<void(const LabelPrediction&)>& sink)
      : model_(model), corpus_(corpus), classifier_(mixture.classifier()), capacity_(capacity), sink_(sink) {}

  void add(Stream sample) {
    if (classifier_ == Classifier::text) ask_for_all(model_.config().classes, sample);
    const bool fits = pack_.size() + sample.size() <= capacity_.tokens &&
                      std::ssize(pack_.label) + std::ssize(sample.label) <= capacity_.labels;
    if (!fits) flush();
    append(pack_, sample);
  }

  void flush() {
    if (pack_.empty()) return;
    check_stream(pack_, limits_of(model_.config()), "prediction");
    model_.evaluate(pack_, result_);
    std::size_t begin = 0;
    for (const Sequence& sequence : pack_.sequence) {
      std::size_t end = begin;
      while (end < pack_.label.size() && pack_.label[end].row < sequence.end) ++end;
      tell(sequence.document, begin, end);
      begin = end;
    }
    pack_.clear();
  }

 private:
  // Of the labels [begin, end).
  void tell(std::uint64_t document, std::size_t begin, std::size_t end) {
    LabelPrediction prediction{.document = document};
    switch (classifier_) {
      case Classifier::text:
        for (std::size_t label = begin; label < end; ++label)
          prediction.probability.push_back(std::exp(-static_cast<double>(result_.label.surprisal[label])));
        prediction.classes.push_back(result_.label.predicted[begin]);
        break;
      case Classifier::number:
        prediction.value = result_.label.value[begin];
        break;
      default:
        prediction.classes = classes_of_words(corpus_.document(document), begin, end);
    }
    sink_(prediction);
  }

  // Labels are those of the first words that have a token: as many as the sequence holds.
  std::vector<std::int32_t> classes_of_words(const TokenDocument& document, std::size_t begin,
                                             std::size_t end) const {
    std::vector<std::int32_t> classes;
    for (std::size_t word = 0; word < document.sentences.size(); ++word) {
      const bool told = begin < end && !document.part(word).empty();
      classes.push_back(told ? result_.label.predicted[begin++] : -1);
    }
    return classes;
  }

  Transformer& model_;
  const TokenCorpus& corpus_;
  Classifier classifier_;
  Capacity capacity_;
  const std::function<void(const LabelPrediction&)>& sink_;
  Stream pack_;
  StreamResult result_;
};

}  // namespace

void predict_labels(Transformer& model, const TokenCorpus& corpus, const Mixture& mixture,
                    const Capacity& capacity, const std::function<void(const LabelPrediction&)>& sink) {
  Predictor predictor(model, corpus, mixture, capacity, sink);
  for_each_sample(corpus, mixture, 0, 0, true, [&](const Stream& sample) {
    predictor.add(sample);
    return true;
  });
  predictor.flush();
}

}  // namespace surprisal
