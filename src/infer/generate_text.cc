// Text from a loaded model: what surprisal/generate.h promises.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include <fmt/format.h>

#include "surprisal/error.h"
#include "surprisal/generate.h"

#include "infer/beam_search.h"
#include "infer/blanked_text.h"
#include "infer/generate.h"
#include "infer/infill.h"
#include "infer/limits.h"
#include "infer/loaded_model.h"
#include "infer/sampling.h"
#include "infer/text_so_far.h"
#include "model/family.h"
#include "text/tokenizer/special_tokens.h"

namespace surprisal {
namespace {

void require_positions(std::int64_t tokens, const ModelConfig& config, const char* what) {
  if (tokens <= config.stream_positions()) return;
  throw Error(ErrorKind::usage,
              {.what = fmt::format("the {} has more tokens than the model has positions", what),
               .found = fmt::format("{} tokens, special ones too", tokens),
               .expected = fmt::format("at most {}", config.stream_positions()),
               .fix = "shorten it"});
}

void require_decoder(const ModelConfig& config) {
  const Family& family = find_family(config.family, "model");
  if (family.decoder || family.any_sight) return;
  throw Error(ErrorKind::usage,
              {.what = fmt::format("a model of family {} predicts masked tokens and continues no text",
                                   config.family),
               .fix = "use a decoder (gpt2) or a model of blanks (glm)"});
}

void require_end(const Tokenizer& tokenizer, const GenerateOptions& options) {
  if (!end_tokens(tokenizer, options.ends).empty()) return;
  throw Error(ErrorKind::usage, {.what = "the tokenizer has no end of text, at which a text would end",
                                 .fix = "name it in tokenizer_config.json (eos_token)"});
}

Transformer& prepare(LoadedModel& model, std::int64_t context, std::int64_t samples) {
  const std::int64_t rows = std::max(context, samples);
  return model.prepare(Mode::evaluate, {.tokens = rows, .targets = samples, .labels = 1});
}

std::vector<std::int32_t> encode(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::int32_t> ids;
  tokenizer.encode(text, ids);
  return ids;
}

[[noreturn]] void fail_begin(const char* why, const char* fix) {
  throw Error(ErrorKind::usage,
              {.what = std::string("begin_of_text asks for what is not there: ") + why, .fix = fix});
}

// What stands before a text: what the post-processor puts there, or a begin of text.
std::vector<std::int32_t> beginning(const Tokenizer& tokenizer, bool empty, const GenerateOptions& options) {
  std::vector<std::int32_t> ids;
  for (const TemplatePiece& piece : tokenizer.single_template()) {
    if (piece.sequence >= 0) break;
    ids.push_back(piece.id);
  }
  const std::optional<std::int32_t> begin = tokenizer.special().bos;
  if (options.begin_of_text && !begin)
    fail_begin("the tokenizer has no begin of text", "name it in tokenizer_config.json (bos_token)");
  if (begin && ids.empty() && (options.begin_of_text || empty)) ids.push_back(*begin);
  return ids;
}

// In the order in which the model reads.
std::vector<std::int32_t> context_of(const Tokenizer& tokenizer, const std::vector<std::int32_t>& prompt,
                                     const GenerateOptions& options) {
  std::vector<std::int32_t> ids = beginning(tokenizer, prompt.empty(), options);
  if (options.reverse) {
    ids.insert(ids.end(), prompt.rbegin(), prompt.rend());
  } else {
    ids.insert(ids.end(), prompt.begin(), prompt.end());
  }
  if (!ids.empty()) return ids;
  throw Error(ErrorKind::usage, {.what = "the prompt has no token, and the tokenizer no begin of text",
                                 .fix = "give a prompt"});
}

// What stands in `whole` besides `known`, its end or its beginning.
std::string without(const std::string& whole, const std::string& known, bool at_end) {
  if (at_end && whole.ends_with(known)) return whole.substr(0, whole.size() - known.size());
  if (!at_end && whole.starts_with(known)) return whole.substr(known.size());
  return whole;  // clean-up changed the place where they meet
}

// `text`: what of the result is the prompt. `context`: the rows that the model reads first.
std::vector<Continuation> continue_ids(LoadedModel& model, const std::vector<std::int32_t>& text,
                                       const std::vector<std::int32_t>& context,
                                       const GenerateOptions& options) {
  const Tokenizer& tokenizer = model.tokenizer();
  require_positions(std::ssize(context), model.config(), "prompt");
  const auto joined = [&](std::span<const std::int32_t> ids) {  // in the order of the text
    std::vector<std::int32_t> all(text);
    all.insert(options.reverse ? all.begin() : all.end(), ids.begin(), ids.end());
    return all;
  };
  TextSoFar so_far(tokenizer, options.on_text);
  TokenSink sink;
  if (options.on_text && !options.reverse)
    sink = [&](std::span<const std::int32_t> ids) { so_far.show(joined(ids)); };
  Transformer& transformer = prepare(model, std::ssize(context), std::max(options.samples, options.beams));
  std::vector<Continuation> results;
  for (GeneratedTokens& generated : options.beams > 1
                                        ? search_beams(transformer, tokenizer, context, options)
                                        : continue_tokens(transformer, tokenizer, context, options, sink)) {
    if (options.reverse) std::reverse(generated.ids.begin(), generated.ids.end());
    std::string whole = tokenizer.decode(joined(generated.ids));
    std::string completion = without(whole, tokenizer.decode(text), options.reverse);
    results.push_back({std::move(whole), std::move(completion), std::move(generated)});
  }
  so_far.finish(results.back().text);
  return results;
}

std::vector<Continuation> continue_text(LoadedModel& model, std::string_view prompt,
                                        const GenerateOptions& options) {
  require_decoder(model.config());
  require_end(model.tokenizer(), options);
  const std::vector<std::int32_t> text = encode(model.tokenizer(), prompt);
  return continue_ids(model, text, context_of(model.tokenizer(), text, options), options);
}

std::vector<std::vector<GeneratedTokens>> fill(LoadedModel& model, const BlankedText& text,
                                               std::span<const std::uint64_t> samples,
                                               const InfillOptions& options, TextSoFar& so_far) {
  require_positions(std::ssize(text.ids), model.config(), "text");
  PieceSink sink;
  if (options.on_text)
    sink = [&](std::span<const GeneratedTokens> pieces) { so_far.show(fill_in(text, pieces, false)); };
  Transformer& transformer = prepare(model, std::ssize(text.ids), std::ssize(samples));
  return fill_blanks(transformer, model.tokenizer(), text, samples, options, sink);
}

FilledBlank filled_blank(const Tokenizer& tokenizer, const BlankedText& text, std::size_t blank,
                         GeneratedTokens piece) {
  const std::int32_t mask = text.ids[static_cast<std::size_t>(text.masks[blank])];
  return {std::string(tokenizer.token(mask)), tokenizer.decode(piece.ids), std::move(piece)};
}

// All samples side by side; what fills a blank stays a piece behind the text.
std::vector<Infilling> fill_as_pieces(LoadedModel& model, std::vector<std::int32_t> ids,
                                      const InfillOptions& options, TextSoFar& so_far) {
  const Tokenizer& tokenizer = model.tokenizer();
  const BlankedText text = frame_text(tokenizer, std::move(ids), BlankFrame::as_trained);
  std::vector<std::uint64_t> samples(static_cast<std::size_t>(options.samples));
  std::iota(samples.begin(), samples.end(), 0);
  std::vector<Infilling> results;
  for (std::vector<GeneratedTokens>& pieces : fill(model, text, samples, options, so_far)) {
    Infilling& result = results.emplace_back();
    result.text = tokenizer.decode(fill_in(text, pieces, true));
    for (std::size_t blank = 0; blank < pieces.size(); ++blank) {
      result.blanks.push_back(filled_blank(tokenizer, text, blank, std::move(pieces[blank])));
    }
  }
  return results;
}

// Blanks for which those before left no position.
void leave_empty(const Tokenizer& tokenizer, const BlankedText& text, Infilling& result) {
  GeneratedTokens none;
  none.stop = Stop::positions;
  const std::vector<GeneratedTokens> pieces(text.masks.size(), none);
  for (std::size_t blank = 0; blank < pieces.size(); ++blank) {
    result.blanks.push_back(filled_blank(tokenizer, text, blank, pieces[blank]));
  }
  result.text = tokenizer.decode(fill_in(text, pieces, true));
}

// One sample, blank by blank; what fills one is put into the text, which goes through the model anew.
Infilling fill_by_substitution(LoadedModel& model, std::vector<std::int32_t> ids, std::uint64_t sample,
                               const InfillOptions& options, TextSoFar& so_far) {
  const Tokenizer& tokenizer = model.tokenizer();
  Infilling result;
  for (std::size_t left = 1; left > 0; --left) {
    BlankedText text = frame_text(tokenizer, std::move(ids), BlankFrame::end_of_text);
    if (!result.blanks.empty() && !has_room(model.config(), tokenizer, text, options)) {
      leave_empty(tokenizer, text, result);
      return result;
    }
    left = text.masks.size();
    text.masks.resize(1);
    const std::uint64_t numbers[] = {sample | std::uint64_t{result.blanks.size()} << 32};
    std::vector<GeneratedTokens> piece = std::move(fill(model, text, numbers, options, so_far).front());
    ids = fill_in(text, piece, true);
    result.blanks.push_back(filled_blank(tokenizer, text, 0, std::move(piece.front())));
  }
  result.text = tokenizer.decode(ids);
  return result;
}

// `ids`: of a text with masks.
std::vector<Infilling> fill_text(LoadedModel& model, const std::vector<std::int32_t>& ids,
                                 const InfillOptions& options) {
  TextSoFar so_far(model.tokenizer(), options.on_text);
  std::vector<Infilling> results;
  if (find_family(model.config().family, "model").substitutes_blanks) {
    for (std::int64_t sample = 0; sample < options.samples; ++sample) {
      results.push_back(
          fill_by_substitution(model, ids, static_cast<std::uint64_t>(sample), options, so_far));
    }
  } else {
    results = fill_as_pieces(model, ids, options, so_far);
  }
  so_far.finish(results.back().text);
  return results;
}

// A model whose rows may see what an objective says is one of blanks, unless it was trained otherwise here.
bool continues_by_blank(const ModelConfig& config, const GenerateOptions& options) {
  const std::string& trained = config.training_objective;
  const bool otherwise = !trained.empty() && trained.find("blank_infilling") == std::string::npos &&
                         trained.find("conditional") == std::string::npos;
  return find_family(config.family, "model").any_sight && !options.reverse && !otherwise;
}

void refuse_search(const ModelConfig& config, const GenerateOptions& options) {
  if (options.beams == 1 && options.no_repeat_ngram == 0) return;
  throw Error(ErrorKind::usage, {.what = "beams and no_repeat_ngram are for decoders",
                                 .where = "a model of family " + config.family,
                                 .fix = "leave them out: its blanks are filled by drawing"});
}

void require_plain_prompt(const Tokenizer& tokenizer, const std::vector<std::int32_t>& prompt,
                          const ModelConfig& config, const GenerateOptions& options) {
  refuse_search(config, options);
  if (options.begin_of_text) fail_begin("the text is framed as for blank infilling", "leave it out");
  if (std::ranges::none_of(prompt, [&](std::int32_t id) { return is_mask(tokenizer.special(), id); })) return;
  throw Error(ErrorKind::usage, {.what = "the prompt has a blank",
                                 .where = "a model of family " + config.family,
                                 .fix = "give it as a text to infill; a prompt is continued at its end"});
}

// A blank behind the prompt, filled to the end.
std::vector<Continuation> continue_by_blank(LoadedModel& model, std::string_view prompt,
                                            const GenerateOptions& options) {
  const Tokenizer& tokenizer = model.tokenizer();
  require_infilling(tokenizer);
  std::vector<std::int32_t> ids = encode(tokenizer, prompt);
  require_plain_prompt(tokenizer, ids, model.config(), options);
  const SpecialTokens& special = tokenizer.special();
  for (const auto& mask : {special.gmask, special.mask, special.smask}) {
    if (!mask) continue;
    ids.push_back(*mask);
    break;
  }
  const InfillOptions filling{.sampling = options.sampling,
                              .max_tokens = options.max_tokens,
                              .samples = options.samples,
                              .on_text = options.on_text};
  std::vector<Continuation> results;
  for (Infilling& filled : fill_text(model, ids, filling)) {
    FilledBlank& blank = filled.blanks.back();
    results.push_back({std::move(filled.text), std::move(blank.text), std::move(blank.generated)});
  }
  return results;
}

// As the objective `conditional` asks.
std::vector<Continuation> fill_asked(LoadedModel& model, const Prompt& prompt,
                                     const GenerateOptions& options) {
  const Tokenizer& tokenizer = model.tokenizer();
  require_infilling(tokenizer);
  refuse_search(model.config(), options);
  const BlankedText text{.ids = prompt.ids, .masks = {prompt.mask}, .begin = prompt.begin, .end = prompt.end};
  const InfillOptions filling{.sampling = options.sampling,
                              .max_tokens = options.max_tokens,
                              .samples = options.samples,
                              .position = prompt.position,
                              .on_text = options.on_text};
  TextSoFar so_far(tokenizer, filling.on_text);
  std::vector<std::uint64_t> samples(static_cast<std::size_t>(options.samples));
  std::iota(samples.begin(), samples.end(), 0);
  std::vector<Continuation> results;
  for (std::vector<GeneratedTokens>& pieces : fill(model, text, samples, filling, so_far)) {
    std::string whole = tokenizer.decode(fill_in(text, pieces, true));
    std::string completion = tokenizer.decode(pieces.front().ids);
    results.push_back({std::move(whole), std::move(completion), std::move(pieces.front())});
  }
  so_far.finish(results.back().text);
  return results;
}

void check_call(LoadedModel& model, const SamplingOptions& sampling, std::int64_t max_tokens,
                std::int64_t samples) {
  check(sampling);
  check_counts(max_tokens, samples);
  require_language_model(model.config());
  check_vocabulary(model.config(), model.tokenizer());
}

void check_search(const GenerateOptions& options) {
  constexpr std::int64_t kMostBeams = 256;
  const auto fail = [](const char* what, std::string found, std::string expected) {
    throw Error(ErrorKind::usage, {.what = what, .found = std::move(found), .expected = std::move(expected)});
  };
  if (options.beams < 1 || options.beams > kMostBeams)
    fail("the number of beams is out of range", fmt::format("{}", options.beams),
         fmt::format("1 to {}", kMostBeams));
  if (options.beams > 1 && options.samples > options.beams)
    fail("more samples than beams", fmt::format("{}", options.samples),
         fmt::format("at most {}, the best of the beams", options.beams));
  if (!std::isfinite(options.length_penalty))
    fail("length_penalty is out of range", fmt::format("{}", options.length_penalty), "a number");
  if (options.no_repeat_ngram < 0)
    fail("no_repeat_ngram is out of range", fmt::format("{}", options.no_repeat_ngram), "0 or above");
}

// Text of several samples cannot grow on one line.
template <typename Options>
Options shown_alone(Options options) {
  if (options.samples > 1) options.on_text = {};
  return options;
}

}  // namespace

std::vector<Continuation> generate(Model& model, std::string_view prompt, const GenerateOptions& given) {
  const ModelConfig& config = model.loaded().config();
  GenerateOptions options = shown_alone(given);
  options.reverse = options.reverse || config.training_objective == "reverse";
  check_call(model.loaded(), options.sampling, options.max_tokens, options.samples);
  check_search(options);
  return continues_by_blank(config, options) ? continue_by_blank(model.loaded(), prompt, options)
                                             : continue_text(model.loaded(), prompt, options);
}

std::vector<Continuation> generate(Model& model, const Prompt& prompt, const GenerateOptions& given) {
  if (prompt.ids.empty()) return generate(model, prompt.text, given);
  LoadedModel& loaded = model.loaded();
  GenerateOptions options = shown_alone(given);
  options.ends.insert(options.ends.end(), prompt.ends.begin(), prompt.ends.end());
  options.reverse = false;
  check_call(loaded, options.sampling, options.max_tokens, options.samples);
  check_search(options);
  if (prompt.mask >= 0) return fill_asked(loaded, prompt, options);
  require_decoder(loaded.config());
  require_end(loaded.tokenizer(), options);
  return continue_ids(loaded, prompt.ids, prompt.ids, options);
}

std::vector<Infilling> infill(Model& model, std::string_view text, const InfillOptions& options) {
  const ModelConfig& config = model.loaded().config();
  check_call(model.loaded(), options.sampling, options.max_tokens, options.samples);
  if (config.head_transform) {
    throw Error(
        ErrorKind::usage,
        {.what = fmt::format("a model of family {} tells a masked token, and fills no blank with pieces",
                             config.family),
         .fix = "use a model of blanks (glm), or compare options: surprisal score --rule cloze"});
  }
  require_infilling(model.tokenizer());
  return fill_text(model.loaded(), encode(model.tokenizer(), text), shown_alone(options));
}

}  // namespace surprisal
