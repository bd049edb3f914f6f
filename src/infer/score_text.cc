// Scores of a loaded model: what surprisal/score.h promises.
#include "surprisal/error.h"
#include "surprisal/score.h"

#include "infer/loaded_model.h"
#include "infer/score.h"
#include "infer/score_choices.h"
#include "infer/score_pairs.h"

namespace surprisal {
namespace {

void refuse_records(const ScoreOptions& options) {
  if (options.rule != "cloze" && options.rule != "conditional") return;
  throw Error(ErrorKind::usage,
              {.what = "rule " + options.rule + " scores records, not a text",
               .fix = options.rule == "cloze" ? "give a .jsonl file of texts with options"
                                              : "give a .jsonl file of prompts and completions"});
}

struct EncodedText {
  TokenCorpus corpus;  // of one document
  std::vector<std::uint32_t> starts;
};

EncodedText encode(const Tokenizer& tokenizer, std::string_view text) {
  TokenCorpus::Ids document;
  EncodedText encoded;
  tokenizer.encode(text, document.tokens, &encoded.starts);
  if (document.tokens.empty()) {
    throw Error(ErrorKind::data, {.what = "the text has no token", .where = "text to score"});
  }
  document.bytes = text.size();
  encoded.corpus = TokenCorpus::from_ids({document});
  return encoded;
}

Transformer& prepare(LoadedModel& model, std::int64_t rows) {
  return model.prepare(Mode::evaluate, {.tokens = rows, .targets = rows, .labels = 1});
}

Transformer& prepare(LoadedModel& model, const ScoreOptions& options) {
  return prepare(model, score_capacity(model.config(), options));
}

Score score_choices(LoadedModel& model, const std::vector<std::string>& files, const ScoreOptions& options) {
  const ChoiceScorer scorer(model.config(), model.tokenizer(), options);
  const TokenCorpus corpus = TokenCorpus::open(files, {.records = scorer.records()}, model.tokenizer(), {});
  return score(prepare(model, scorer.capacity(corpus)), model.tokenizer(), corpus, options);
}

Score score_pairs(LoadedModel& model, const std::vector<std::string>& files, const ScoreOptions& options) {
  const PairScorer scorer(model.config(), model.tokenizer(), options);
  const TokenCorpus corpus = TokenCorpus::open(files, {.records = scorer.records()}, model.tokenizer(), {});
  return score(prepare(model, options), model.tokenizer(), corpus, options);
}

}  // namespace

Score score(Model& model, std::string_view text, const ScoreOptions& options) {
  refuse_records(options);
  const Tokenizer& tokenizer = model.tokenizer();
  const EncodedText encoded = encode(tokenizer, text);
  return score(prepare(model.loaded(), options), tokenizer, encoded.corpus, options);
}

std::vector<TokenSurprisal> token_surprisals(Model& model, std::string_view text,
                                             const ScoreOptions& options) {
  refuse_records(options);
  const Tokenizer& tokenizer = model.tokenizer();
  const EncodedText encoded = encode(tokenizer, text);
  const std::vector<ScoredToken> scored =
      score_tokens(prepare(model.loaded(), options), tokenizer, encoded.corpus, options);
  std::vector<TokenSurprisal> surprisals;
  // An end of the text that is scored has no place in it: `reverse` meets its beginning, first.
  const std::string rule = options.rule.empty() ? default_rule(model.loaded().config()) : options.rule;
  const std::size_t first = rule == "reverse" ? 1 : 0;
  for (std::size_t index = 0; index < scored.size(); ++index) {
    const std::size_t token = index - first;
    const std::size_t begin = index < first                   ? 0
                              : token < encoded.starts.size() ? encoded.starts[token]
                                                              : text.size();
    surprisals.push_back({scored[index].id, begin, scored[index].nats});
  }
  return surprisals;
}

Score score_files(Model& model, const std::vector<std::string>& files, const ScoreOptions& options) {
  const Tokenizer& tokenizer = model.tokenizer();
  if (options.rule == "cloze") return score_choices(model.loaded(), files, options);
  if (options.rule == "conditional") return score_pairs(model.loaded(), files, options);
  const TokenCorpus corpus = TokenCorpus::open(files, {}, tokenizer, {});
  return score(prepare(model.loaded(), options), tokenizer, corpus, options);
}

}  // namespace surprisal
