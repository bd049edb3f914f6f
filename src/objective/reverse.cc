#include "objective/reverse.h"

#include "objective/window.h"

namespace surprisal {
namespace {

class Reverse : public Objective {
 public:
  Reverse(const Tokenizer& tokenizer, std::int64_t sequence_length)
      : cutter_(kReverseTraits.name, tokenizer, sequence_length) {}

  const ObjectiveTraits& traits() const override { return kReverseTraits; }

  std::int64_t build(const TokenCorpus& corpus, const SampleKey& key, std::int64_t cursor,
                     Stream& sample) const override {
    DocumentWindow window = cutter_.cut(corpus, key, cursor);
    std::int32_t after = window.at_end() ? cutter_.begin_of_text() : window.document[window.end];
    auto tokens = window.tokens();
    cutter_.lay_out(after, tokens.rbegin(), tokens.rend(), window.at_begin(), key, sample);
    return static_cast<std::int64_t>(window.end);
  }

 private:
  WindowCutter cutter_;
};

}  // namespace

std::shared_ptr<const Objective> make_reverse(const ObjectiveOptions&, const Tokenizer& tokenizer,
                                              std::int64_t sequence_length) {
  return std::make_shared<Reverse>(tokenizer, sequence_length);
}

}  // namespace surprisal
