#include "objective/window.h"

#include <algorithm>

#include "objective/layout.h"
#include "objective/requirements.h"

namespace surprisal {

WindowCutter::WindowCutter(std::string_view objective, const Tokenizer& tokenizer,
                           std::int64_t sequence_length)
    : begin_of_text_(require_special(objective, "a begin-of-text token (bos)", tokenizer.special().bos, "bpe",
                                     tokenizer)),
      end_of_text_(require_special(objective, "an end-of-text token (eos)", tokenizer.special().eos, "bpe",
                                   tokenizer)),
      window_(static_cast<std::size_t>(sequence_length - 1)) {
  require_length(objective, sequence_length, 2);
}

DocumentWindow WindowCutter::cut(const TokenCorpus& corpus, const SampleKey& key, std::int64_t cursor) const {
  DocumentWindow window{.document = corpus.document(key.document).tokens,
                        .begin = static_cast<std::size_t>(cursor)};
  window.end = window.begin + std::min(window_, window.document.size() - window.begin);
  return window;
}

void WindowCutter::push_row(std::int32_t input, std::int32_t next, Stream& sample) {
  std::int32_t row = sample.size();
  sample.token.push_back(input);
  sample.visible.push_back({0, row + 1});
  sample.target.push_back({row, next, 1});
}

void WindowCutter::complete(const SampleKey& key, Stream& sample) {
  sample.segment.assign(sample.token.size(), 0);
  number_rows(key, sample);
}

}  // namespace surprisal
