#include "objective/classification.h"

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "objective/layout.h"
#include "objective/requirements.h"

namespace surprisal {
namespace {

using Tokens = std::span<const std::int32_t>;

class Labelled : public Objective {
 public:
  Labelled(const ObjectiveTraits& traits, const LabelledOptions& options, const Tokenizer& tokenizer,
           std::int64_t sequence_length)
      : traits_(traits),
        names_(options.labels),
        single_(tokenizer.single_template().begin(), tokenizer.single_template().end()),
        pair_(tokenizer.pair_template().begin(), tokenizer.pair_template().end()),
        length_(sequence_length) {
    const std::string table = fmt::format("objective.{}", traits.name);
    require_choice(table + ".layout", options.layout, {"auto", "encoder", "decoder"});
    const bool encoder =
        options.layout == "auto" ? tokenizer.special().cls.has_value() : options.layout == "encoder";
    traits_.decoder = !encoder;
    traits_.classes = traits.classifier == Classifier::number ? 1 : static_cast<std::int32_t>(names_.size());
    const bool second = encoder && !options.pair_field.empty() &&
                        std::ranges::any_of(pair_, [](const auto& piece) { return piece.segment > 0; });
    traits_.segments = second ? 2 : 1;
    const std::int64_t specials = std::max(special_rows(single_), special_rows(pair_));
    require_length(traits.name, sequence_length, specials + 2);
  }

  const ObjectiveTraits& traits() const override { return traits_; }
  std::vector<std::string> class_names() const override { return names_; }

  std::int64_t build(const TokenCorpus& corpus, const SampleKey& key, std::int64_t,
                     Stream& sample) const override {
    const TokenDocument document = corpus.document(key.document);
    traits_.classifier == Classifier::word ? lay_out_words(document, key, sample)
                                           : lay_out_text(document, key, sample);
    if (traits_.decoder) lay_out_decoder(sample);
    return std::ssize(document.tokens);
  }

  std::vector<std::string> remarks(const TokenCorpus& corpus) const override {
    std::uint64_t cut = 0;
    for (std::uint64_t index = 0; index < corpus.documents(); ++index) {
      const TokenDocument document = corpus.document(index);
      cut += std::ssize(document.tokens) > room(document);
    }
    if (cut == 0) return {};
    return {fmt::format("objective {}: {} of {} texts {} too long for a sequence of {} and {} cut at the end",
                        traits_.name, cut, corpus.documents(), cut == 1 ? "is" : "are", length_,
                        cut == 1 ? "is" : "are")};
  }

 private:
  bool has_second(const TokenDocument& document) const {
    return traits_.classifier != Classifier::word && document.sentences.size() == 2;
  }
  std::int64_t room(const TokenDocument& document) const {
    return length_ - special_rows(has_second(document) ? pair_ : single_);
  }

  // Decoders tell no segments apart, whatever the tokenizer calls them.
  static void lay_out_decoder(Stream& sample) {
    for (std::int32_t row = 0; row < sample.size(); ++row) {
      sample.visible[static_cast<std::size_t>(row)] = {0, row + 1};
      sample.segment[static_cast<std::size_t>(row)] = 0;
    }
  }

  // The longer of two texts loses its end first, token by token.
  void lay_out_text(const TokenDocument& document, const SampleKey& key, Stream& sample) const {
    Tokens first = document.part(0), second;
    const bool both = has_second(document);
    if (both) second = document.part(1);
    while (std::ssize(first) + std::ssize(second) > room(document)) {
      Tokens& longer = first.size() > second.size() ? first : second;
      longer = longer.first(longer.size() - 1);
    }
    lay_out_template(both ? pair_ : single_, first, second, key, sample);
    const std::int32_t row = traits_.decoder ? sample.size() - 1 : 0;
    if (document.labels.empty()) {  // to be predicted
      sample.label.push_back({row, 0, 0});
      return;
    }
    const std::uint32_t label = document.labels.front();
    if (traits_.classifier == Classifier::number) {
      sample.label.push_back({row, 0, 1, std::bit_cast<float>(label)});
    } else {
      sample.label.push_back({row, static_cast<std::int32_t>(label), 1});
    }
  }

  void lay_out_words(const TokenDocument& document, const SampleKey& key, Stream& sample) const {
    const std::size_t kept =
        std::min(document.tokens.size(), static_cast<std::size_t>(std::max<std::int64_t>(0, room(document))));
    lay_out_template(single_, document.tokens.first(kept), {}, key, sample);
    const auto first = std::ranges::find_if(single_, [](const auto& piece) { return piece.sequence >= 0; });
    const auto before = static_cast<std::int32_t>(first - single_.begin());
    for (std::size_t word = 0; word < document.sentences.size(); ++word) {
      const std::uint32_t token = document.sentences[word];
      if (token >= kept) break;
      if (document.part(word).empty()) continue;
      const std::int32_t row = before + static_cast<std::int32_t>(token);
      if (document.labels.empty()) {
        sample.label.push_back({row, 0, 0});
      } else if (const std::uint32_t label = document.labels[word]; label != kNoLabel) {
        sample.label.push_back({row, static_cast<std::int32_t>(label), 1});
      }
    }
  }

  ObjectiveTraits traits_;
  std::vector<std::string> names_;
  std::vector<TemplatePiece> single_, pair_;
  std::int64_t length_;
};

}  // namespace

std::shared_ptr<const Objective> make_classification(const ObjectiveOptions& options,
                                                     const Tokenizer& tokenizer,
                                                     std::int64_t sequence_length) {
  return std::make_shared<Labelled>(kClassificationTraits, options.classification, tokenizer,
                                    sequence_length);
}

std::shared_ptr<const Objective> make_regression(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                                 std::int64_t sequence_length) {
  return std::make_shared<Labelled>(kRegressionTraits, options.regression, tokenizer, sequence_length);
}

std::shared_ptr<const Objective> make_token_classification(const ObjectiveOptions& options,
                                                           const Tokenizer& tokenizer,
                                                           std::int64_t sequence_length) {
  return std::make_shared<Labelled>(kTokenClassificationTraits, options.token_classification, tokenizer,
                                    sequence_length);
}

}  // namespace surprisal
