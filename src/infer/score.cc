#include "infer/score.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "infer/evaluate.h"
#include "infer/limits.h"
#include "infer/record_scorer.h"
#include "model/family.h"
#include "objective/mixture.h"
#include "objective/sampler.h"
#include "stream/packing.h"

namespace surprisal {
namespace {

// Packs copies of windows, each with one token masked, into streams and adds up what the model says of the
// masked tokens.
class PseudoLikelihood {
 public:
  // `each`: where every scored token goes as well, unless null.
  PseudoLikelihood(Transformer& model, const Tokenizer& tokenizer, const ScoreOptions& options, Score& score,
                   std::vector<ScoredToken>* each)
      : model_(model),
        tokenizer_(tokenizer),
        capacity_(score_capacity(model.config(), options)),
        score_(score),
        each_(each) {}

  void add(std::span<const std::int32_t> window) {
    Stream sequence = lay_out(window);
    if (sequence.size() > capacity_ - stream_.size()) flush();
    for (std::int32_t row = 0; row < sequence.size(); ++row) {
      std::size_t at = static_cast<std::size_t>(row);
      if (!scored_[at]) continue;
      if (sequence.size() > capacity_ - stream_.size()) flush();
      std::int32_t original = sequence.token[at];
      sequence.token[at] = *tokenizer_.special().mask;
      sequence.target.assign(1, {row, original, 1});
      append(stream_, sequence);
      sequence.token[at] = original;
    }
  }

  void flush() {
    if (stream_.empty()) return;
    model_.evaluate(stream_, result_);
    for (float surprisal : result_.token.surprisal) score_.nats += surprisal;
    score_.tokens += stream_.target.size();
    for (std::size_t index = 0; each_ != nullptr && index < stream_.target.size(); ++index) {
      each_->push_back({stream_.target[index].id, result_.token.surprisal[index]});
    }
    stream_.clear();
  }

 private:
  // The window in the tokenizer's template; scored_ tells which rows are the text's own.
  Stream lay_out(std::span<const std::int32_t> window) {
    Stream sequence;
    scored_.clear();
    auto push = [&](std::int32_t id, std::int32_t segment, bool own) {
      sequence.token.push_back(id);
      sequence.segment.push_back(segment);
      scored_.push_back(own);
    };
    for (const TemplatePiece& piece : tokenizer_.single_template()) {
      if (piece.sequence < 0) push(piece.id, piece.segment, false);
      if (piece.sequence == 0) {
        for (std::int32_t id : window) push(id, piece.segment, true);
      }
    }
    std::int32_t size = sequence.size();
    for (std::int32_t row = 0; row < size; ++row) sequence.position.push_back(row);
    sequence.block_position.assign(sequence.token.size(), 0);
    sequence.visible.assign(sequence.token.size(), {0, size});
    sequence.sequence.push_back({.begin = 0, .end = size});
    return sequence;
  }

  Transformer& model_;
  const Tokenizer& tokenizer_;
  std::int64_t capacity_;
  Score& score_;
  std::vector<ScoredToken>* each_;
  std::vector<bool> scored_;
  Stream stream_;
  StreamResult result_;
};

std::int64_t special_count(const Tokenizer& tokenizer) {
  return std::count_if(tokenizer.single_template().begin(), tokenizer.single_template().end(),
                       [](const TemplatePiece& piece) { return piece.sequence < 0; });
}

void score_pll(Transformer& model, const Tokenizer& tokenizer, const TokenCorpus& corpus,
               const ScoreOptions& options, Score& score, std::vector<ScoredToken>* each) {
  if (!tokenizer.special().mask) {
    throw Error(ErrorKind::usage,
                {.what = "rule pll needs a tokenizer with a mask token", .fix = "use --rule windows"});
  }
  std::int64_t room = score.sequence_length - special_count(tokenizer);
  if (room < 1) {
    throw Error(ErrorKind::usage, {.what = "sequence length leaves no room for a token",
                                   .found = fmt::format("{}", score.sequence_length),
                                   .expected = fmt::format("at least {}", special_count(tokenizer) + 1)});
  }
  PseudoLikelihood likelihood(model, tokenizer, options, score, each);
  for (std::uint64_t document = 0; document < corpus.documents(); ++document) {
    std::span<const std::int32_t> tokens = corpus.document(document).tokens;
    for (std::size_t begin = 0; begin < tokens.size(); begin += static_cast<std::size_t>(room)) {
      likelihood.add(tokens.subspan(begin, std::min(static_cast<std::size_t>(room), tokens.size() - begin)));
    }
    if (options.progress) options.progress(document + 1, corpus.documents());
  }
  likelihood.flush();
}

void score_windows(Transformer& model, const Tokenizer& tokenizer, const TokenCorpus& corpus,
                   const ScoreOptions& options, const char* objective, Score& score) {
  Mixture mixture(objective, {}, tokenizer, score.sequence_length);
  Evaluation evaluation =
      evaluate(model, corpus, mixture, 0, static_cast<std::int32_t>(score_capacity(model.config(), options)),
               document_progress(options, corpus));
  score.nats = evaluation.token.sum;
  score.tokens = static_cast<std::uint64_t>(std::llround(evaluation.token.weight));
}

// The tokens of one window in the order of the text.
void score_stream(Transformer& model, const Stream& stream, bool reverse, std::vector<ScoredToken>& each) {
  StreamResult result;
  model.evaluate(stream, result);
  const std::size_t before = each.size();
  for (std::size_t index = 0; index < stream.target.size(); ++index) {
    each.push_back({stream.target[index].id, result.token.surprisal[index]});
  }
  if (reverse) std::reverse(each.begin() + static_cast<std::ptrdiff_t>(before), each.end());
}

void check_rule(const std::string& rule, const ModelConfig& config, const ScoreOptions& options) {
  if (is_record_rule(rule)) return;
  if (rule != "windows" && rule != "reverse" && rule != "pll") {
    throw Error(ErrorKind::usage, {.what = fmt::format("unknown rule {}", rule),
                                   .expected = "windows, reverse, pll, cloze, conditional, classification, "
                                               "regression or token_classification"});
  }
  if (!options.objective.empty()) {
    throw Error(ErrorKind::usage,
                {.what = fmt::format("{} has no meaning for rule {}", options.objective.front().key, rule),
                 .fix = "leave it out, or use a rule that reads records"});
  }
  require_language_model(config);
}

// Everything but the sums, checked: the rule by its full name.
Score begin_score(const Transformer& model, const Tokenizer& tokenizer, const TokenCorpus& corpus,
                  const ScoreOptions& options) {
  Score score;
  score.rule = options.rule.empty() ? default_rule(model.config()) : options.rule;
  score.sequence_length = window_length(model.config(), options);
  score.documents = corpus.documents();
  score.bytes = is_record_rule(score.rule) ? 0 : corpus.bytes();
  check_vocabulary(model.config(), tokenizer);
  if (score.sequence_length > model.config().stream_positions()) {
    throw Error(ErrorKind::usage, {.what = "sequence length is beyond the model's positions",
                                   .found = fmt::format("{}", score.sequence_length),
                                   .expected = fmt::format("at most {}", model.config().stream_positions())});
  }
  check_rule(score.rule, model.config(), options);
  return score;
}

void check_finite(double nats) {
  if (std::isfinite(nats)) return;
  throw Error(ErrorKind::diverged, {.what = "the surprisal of the text is not finite",
                                    .found = fmt::format("{} nats", nats),
                                    .fix = "look for weights that are not finite"});
}

}  // namespace

double Score::bits_per_byte() const {
  return bytes > 0 ? nats / std::numbers::ln2 / static_cast<double>(bytes) : 0;
}

double Score::perplexity() const {
  return tokens > 0 ? std::exp(nats / static_cast<double>(tokens)) : 0;
}

std::string default_rule(const ModelConfig& config) {
  if (config.task == Task::token_classification) return "token_classification";
  if (!config.vocabulary_head()) return config.regression ? "regression" : "classification";
  const std::string& trained = config.training_objective;
  const bool in_order = trained.find("causal") != trained.npos || trained.find("reverse") != trained.npos;
  if (find_family(config.family, "model").any_sight && !in_order) {
    throw Error(ErrorKind::usage,
                {.what = "a model of blanks has no rule of its own for a whole text",
                 .where = "family " + config.family,
                 .expected = "--rule",
                 .fix = "conditional and cloze score records as it was trained; windows gives it rows in an "
                        "order that it may never have seen"});
  }
  if (config.head_transform) return "pll";
  return config.training_objective == "reverse" ? "reverse" : "windows";
}

std::int64_t window_length(const ModelConfig& config, const ScoreOptions& options) {
  return options.sequence_length > 0 ? options.sequence_length : config.stream_positions();
}

EvaluationProgress document_progress(const ScoreOptions& options, const TokenCorpus& corpus) {
  if (!options.progress) return {};
  return [&options, documents = corpus.documents()](std::uint64_t done, std::uint64_t total) {
    options.progress(documents * done / total, documents);
  };
}

std::int64_t score_capacity(const ModelConfig& config, const ScoreOptions& options) {
  return std::max(options.pack_tokens, window_length(config, options));
}

Score score(Transformer& model, const Tokenizer& tokenizer, const TokenCorpus& corpus,
            const ScoreOptions& options) {
  Score score = begin_score(model, tokenizer, corpus, options);
  if (score.rule == "pll") {
    score_pll(model, tokenizer, corpus, options, score, nullptr);
  } else if (is_record_rule(score.rule)) {
    RecordScorer(score.rule, model.config(), tokenizer, options).score(model, corpus, score);
  } else {
    score_windows(model, tokenizer, corpus, options, score.rule == "reverse" ? "reverse" : "causal", score);
  }
  check_finite(score.nats);
  return score;
}

std::vector<ScoredToken> score_tokens(Transformer& model, const Tokenizer& tokenizer,
                                      const TokenCorpus& corpus, const ScoreOptions& options) {
  Score score = begin_score(model, tokenizer, corpus, options);
  std::vector<ScoredToken> each;
  if (score.rule == "pll") {
    score_pll(model, tokenizer, corpus, options, score, &each);
  } else {
    const bool reverse = score.rule == "reverse";
    Mixture mixture(reverse ? "reverse" : "causal", {}, tokenizer, score.sequence_length);
    for_each_sample(corpus, mixture, 0, 0, true, [&](const Stream& window) {
      score_stream(model, window, reverse, each);
      return true;
    });
  }
  for (const ScoredToken& token : each) check_finite(token.nats);
  return each;
}

}  // namespace surprisal
