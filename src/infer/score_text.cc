// Scores of a loaded model: what surprisal/score.h promises.
#include "surprisal/error.h"
#include "surprisal/score.h"

#include "infer/loaded_model.h"
#include "infer/record_scorer.h"
#include "infer/score.h"

namespace surprisal {
namespace {

std::string rule_of(const ModelConfig& config, const ScoreOptions& options) {
  return options.rule.empty() ? default_rule(config) : options.rule;
}

void refuse_records(const ModelConfig& config, const ScoreOptions& options) {
  const std::string rule = rule_of(config, options);
  if (!is_record_rule(rule)) return;
  throw Error(ErrorKind::usage,
              {.what = "rule " + rule + " scores records, not a text",
               .fix = rule == "cloze"         ? "give a .jsonl file of texts with options"
                      : rule == "conditional" ? "give a .jsonl file of prompts and completions"
                                              : "give a .jsonl file of labelled texts"});
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

Transformer& prepare(LoadedModel& model, const ScoreOptions& options) {
  const std::int64_t rows = score_capacity(model.config(), options);
  return model.prepare(Mode::evaluate, {.tokens = rows, .targets = rows, .labels = 1});
}

Score score_records(const std::string& rule, LoadedModel& model, const std::vector<std::string>& files,
                    const ScoreOptions& options) {
  const RecordScorer scorer(rule, model.config(), model.tokenizer(), options);
  const TokenCorpus corpus = TokenCorpus::open(files, {.records = scorer.records()}, model.tokenizer(), {});
  return score(model.prepare(Mode::evaluate, scorer.capacity(corpus)), model.tokenizer(), corpus, options);
}

}  // namespace

Score score(Model& model, std::string_view text, const ScoreOptions& options) {
  refuse_records(model.loaded().config(), options);
  const Tokenizer& tokenizer = model.tokenizer();
  const EncodedText encoded = encode(tokenizer, text);
  return score(prepare(model.loaded(), options), tokenizer, encoded.corpus, options);
}

std::vector<TokenSurprisal> token_surprisals(Model& model, std::string_view text,
                                             const ScoreOptions& options) {
  refuse_records(model.loaded().config(), options);
  const Tokenizer& tokenizer = model.tokenizer();
  const EncodedText encoded = encode(tokenizer, text);
  const std::vector<ScoredToken> scored =
      score_tokens(prepare(model.loaded(), options), tokenizer, encoded.corpus, options);
  std::vector<TokenSurprisal> surprisals;
  // An end of the text that is scored has no place in it: `reverse` meets its beginning, first.
  const std::size_t first = rule_of(model.loaded().config(), options) == "reverse" ? 1 : 0;
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
  const std::string rule = rule_of(model.loaded().config(), options);
  if (is_record_rule(rule)) return score_records(rule, model.loaded(), files, options);
  const TokenCorpus corpus = TokenCorpus::open(files, {}, tokenizer, {});
  return score(prepare(model.loaded(), options), tokenizer, corpus, options);
}

}  // namespace surprisal
