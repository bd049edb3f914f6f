// Text from a model: a prompt continued, or blanks filled.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "surprisal/model.h"
#include "surprisal/override.h"

namespace surprisal {

// How a token is drawn from the model's distribution: the logits are divided by the temperature, then the
// top_k most probable are kept, then of those the fewest that have top_p of the probability. Special tokens
// are never drawn, nor are ids that only the model has (an embedding padded to a round number of rows) or
// that stand for images.
struct SamplingOptions {
  double temperature = 0.8;  // 0: always the most probable token
  std::int64_t top_k = 40;   // 0: all
  double top_p = 1;          // in (0, 1]
  std::uint64_t seed = 0;
};

enum class Stop {
  end,         // an end of text or of piece was drawn
  max_tokens,  // as many as were asked for
  positions    // the model has no position for another
};
std::string_view name_of(Stop stop);  // "end", "max_tokens", "positions"

struct GeneratedTokens {
  std::vector<std::int32_t> ids;  // without the end, in the order of the text
  double nats = 0;                // surprisal of what was drawn, the end too, under the model's distribution
  Stop stop = Stop::end;
};

// Called with text that will not change any more, as it grows; only where one sample is asked for.
using TextSink = std::function<void(std::string_view text)>;

struct GenerateOptions {
  SamplingOptions sampling{};
  std::int64_t max_tokens = 128;
  std::int64_t samples = 1;  // each has random numbers of its own, whatever the number of the others
  bool reverse = false;      // a model trained right to left: the prompt is the end of the text
  // Put the tokenizer's begin of text before the prompt where its post-processor does not. Without a prompt
  // it is always there.
  bool begin_of_text = false;
  // No sequence of so many tokens comes twice, the prompt included; 0: any may.
  std::int64_t no_repeat_ngram = 0;
  // More than 1: the most probable continuations are searched for among so many at once, nothing is drawn,
  // and the samples are the best that were found, best first. A finished one scores
  // -nats / tokens^length_penalty.
  std::int64_t beams = 1;
  double length_penalty = 1;
  TextSink on_text{};
  std::vector<std::int32_t> ends{};  // where a text ends besides, as where a turn of a chat does
  // Of a decoder: the rows of the prompt see one another, as objective.conditional.prefix_lm trains them to.
  bool prefix_lm = false;
};

struct Continuation {
  std::string text;        // the prompt and what follows (reverse: precedes), as the tokenizer decodes them
  std::string completion;  // what follows alone
  GeneratedTokens generated;
};

// The prompt goes to the model as the tokenizer's post-processor begins a text. A model of blanks (GLM)
// continues it by filling a [gMASK] behind it. Throws Error: usage (a model that is no decoder, a prompt that
// leaves no position, options out of range), data (as Tokenizer::encode), diverged (logits that are not
// finite), memory.
std::vector<Continuation> generate(Model& model, std::string_view prompt,
                                   const GenerateOptions& options = {});

// A prompt of a file. Where it has ids, these are the rows of the model, from the first; else generate() puts
// before the text what it does before any.
struct Prompt {
  std::string text;
  std::vector<std::int32_t> ids{};
  std::vector<std::int32_t> ends{};  // see GenerateOptions
  // Of a model of blanks that is asked as `conditional` trains it: the row whose mask the completion fills,
  // how its rows count (see InfillOptions), and which rows are the prompt.
  std::int32_t mask = -1;
  std::string position{};
  std::int32_t begin = 0, end = 0;
};

// The prompts of a file's records or lines, in their order: what the objective `conditional` would be trained
// on (docs/objectives/conditional.md), without the completions, which need not be there; of a chat, all turns
// but an answer at its end. `objective`: keys such as {"objective.conditional.chat", "chatml"}. A text is
// laid out as that objective has it where the model was trained by it here, or where such a key says how.
// Throws Error: io and data as for any corpus, usage (a chat without a layout, or for a model of blanks),
// data (a prompt without text).
std::vector<Prompt> read_prompts(Model& model, const std::string& file,
                                 const std::vector<Override>& objective = {});

// As of the text. `options.reverse` and `options.begin_of_text` have no meaning for a prompt of ids.
std::vector<Continuation> generate(Model& model, const Prompt& prompt, const GenerateOptions& options = {});

struct InfillOptions {
  SamplingOptions sampling{};
  std::int64_t max_tokens = 128;  // of each blank
  std::int64_t samples = 1;
  // Positions of what fills a blank, as objective.blank_infilling.position has them; empty: as the model's
  // family was published.
  std::string position{};
  TextSink on_text{};
};

struct FilledBlank {
  std::string mask;  // "[MASK]"
  std::string text;
  GeneratedTokens generated;
};

struct Infilling {
  std::string text;  // with the blanks filled
  std::vector<FilledBlank> blanks;
};

// Fills the masks of `text` ([MASK], [sMASK], [gMASK]) from left to right; each sees the whole text and what
// filled the blanks before it. Throws Error as generate() does, and usage: a text without a mask, a tokenizer
// without the special tokens of blank infilling, a text longer than the model's positions.
std::vector<Infilling> infill(Model& model, std::string_view text, const InfillOptions& options = {});

}  // namespace surprisal
