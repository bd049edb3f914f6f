#include "text/train/script_runs.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "text/tokenizer/word_class.h"
#include "text/unicode/unicode_tables.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

constexpr char32_t kBlank = 0x2581;

enum class Run : std::uint8_t { blank, letters, ideographs, numbers, space, other };

Run run_of(char32_t c) {
  if (c == kBlank) return Run::blank;
  switch (WordClasses::instance()(c)) {
    case WordClass::letter:
      return is_cjk(static_cast<std::int32_t>(c)) ? Run::ideographs : Run::letters;
    case WordClass::number:
      return Run::numbers;
    case WordClass::space:
      return Run::space;
    default:
      return Run::other;
  }
}

}  // namespace

ScriptRuns::ScriptRuns() : marks_(marks()) {}

void ScriptRuns::pre_tokenize(Words& words) const {
  std::vector<ByteSpan> spans;
  for (ByteSpan span : words.spans) {
    std::uint32_t begin = span.begin;
    Run run = Run::blank;
    for (std::size_t at = span.begin; at < span.end;) {
      auto here = static_cast<std::uint32_t>(at);
      char32_t c = next_code_point(words.content.text, at);
      Run next = marks_.contains(c) && run != Run::blank ? run : run_of(c);
      bool joins =
          here == begin || (run == Run::blank && next != Run::blank) || (run == next && run != Run::blank);
      if (!joins) {
        spans.push_back({begin, here});
        begin = here;
      }
      run = next;
    }
    if (begin < span.end) spans.push_back({begin, span.end});
  }
  words.spans = std::move(spans);
}

}  // namespace surprisal
