#include "objective/causal.h"

#include "objective/window.h"

namespace surprisal {
namespace {

class Causal : public Objective {
 public:
  Causal(const Tokenizer& tokenizer, std::int64_t sequence_length)
      : cutter_(kCausalTraits.name, tokenizer, sequence_length) {}

  const ObjectiveTraits& traits() const override { return kCausalTraits; }

  std::int64_t build(const TokenCorpus& corpus, const SampleKey& key, std::int64_t cursor,
                     Stream& sample) const override {
    DocumentWindow window = cutter_.cut(corpus, key, cursor);
    std::int32_t before = window.at_begin() ? cutter_.begin_of_text() : window.document[window.begin - 1];
    auto tokens = window.tokens();
    cutter_.lay_out(before, tokens.begin(), tokens.end(), window.at_end(), key, sample);
    return static_cast<std::int64_t>(window.end);
  }

 private:
  WindowCutter cutter_;
};

}  // namespace

std::shared_ptr<const Objective> make_causal(const ObjectiveOptions&, const Tokenizer& tokenizer,
                                             std::int64_t sequence_length) {
  return std::make_shared<Causal>(tokenizer, sequence_length);
}

}  // namespace surprisal
