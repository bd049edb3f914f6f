// How the objectives that read a document in one direction cut it. A document is x_1 .. x_n with b before and
// e after it; windows [o, min(o + sequence_length - 1, n)) are the same for both directions. A window's rows
// are one token of context, which stands before it in reading direction, and then its tokens, each predicting
// the next. The row that would look beyond the window is dropped, except that after the document's last token
// it predicts e. So every token is a target exactly once, and so is e.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "objective/objective.h"

namespace surprisal {

struct DocumentWindow {
  std::span<const std::int32_t> document;
  std::size_t begin = 0, end = 0;

  std::span<const std::int32_t> tokens() const { return document.subspan(begin, end - begin); }
  bool at_begin() const { return begin == 0; }
  bool at_end() const { return end == document.size(); }
};

class WindowCutter {
 public:
  // Throws Error (usage), naming `objective`.
  WindowCutter(std::string_view objective, const Tokenizer& tokenizer, std::int64_t sequence_length);

  DocumentWindow cut(const TokenCorpus& corpus, const SampleKey& key, std::int64_t cursor) const;

  // Lays `context` and the tokens [first, last) of a window, which are in reading order, into the empty
  // `sample`; `finished`: the document ends with them.
  template <typename Iterator>
  void lay_out(std::int32_t context, Iterator first, Iterator last, bool finished, const SampleKey& key,
               Stream& sample) const {
    std::int32_t input = context;
    for (; first != last; input = *first++) push_row(input, *first, sample);
    if (finished) push_row(input, end_of_text_, sample);
    complete(key, sample);
  }

  std::int32_t begin_of_text() const { return begin_of_text_; }

 private:
  static void push_row(std::int32_t input, std::int32_t next, Stream& sample);
  static void complete(const SampleKey& key, Stream& sample);

  std::int32_t begin_of_text_;
  std::int32_t end_of_text_;
  std::size_t window_;  // tokens
};

}  // namespace surprisal
