// Shows a text while its tokens come, without ever taking back what was shown.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "surprisal/generate.h"
#include "surprisal/tokenizer.h"

namespace surprisal {

class TextSoFar {
 public:
  // `sink` may be empty: nothing is shown.
  TextSoFar(const Tokenizer& tokenizer, const TextSink& sink) : tokenizer_(tokenizer), sink_(sink) {}

  // `ids` are those of the last call and more.
  void show(std::span<const std::int32_t> ids);
  // The whole text, at its end.
  void finish(const std::string& text);

 private:
  void show_up_to(const std::string& text, std::size_t end);

  const Tokenizer& tokenizer_;
  const TextSink& sink_;
  std::string shown_;
};

}  // namespace surprisal
