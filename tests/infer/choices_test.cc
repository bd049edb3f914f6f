// Choices evaluated and scored, against what a model says of streams written by hand.
#include <cmath>
#include <fstream>

#include "infer/evaluate.h"
#include "infer/record_scorer.h"
#include "infer/score.h"
#include "objective/sampler.h"
#include "tests/core/error_matchers.h"
#include "tests/core/temporary_directory.h"
#include "tests/infer/tiny_language.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

using testing::HasSubstr;
using Ids = std::vector<std::int32_t>;

constexpr std::int64_t kPositions = 32;

class Choices : public testing::Test {
 protected:
  ScoreOptions options(std::vector<Override> objective = {}) const {
    return {.rule = "cloze", .sequence_length = 16, .pack_tokens = 24, .objective = std::move(objective)};
  }
  std::string write(const std::string& lines) const {
    const std::filesystem::path path = directory_ / "choices.jsonl";
    std::ofstream(path) << lines;
    return path;
  }
  TokenCorpus open(const Tokenizer& tokenizer, const ModelConfig& config, const ScoreOptions& how,
                   const std::string& lines) const {
    const RecordScorer scorer("cloze", config, tokenizer, how);
    return TokenCorpus::open({write(lines)}, {.records = scorer.records()}, tokenizer, {});
  }
  Score score_lines(Transformer& model, const Tokenizer& tokenizer, const ScoreOptions& how,
                    const std::string& lines) const {
    return score(model, tokenizer, open(tokenizer, model.config(), how, lines), how);
  }

  TemporaryDirectory directory_;
  Tokenizer glm_ = glm_tokenizer(), words_ = word_tokenizer();
  std::unique_ptr<Transformer> pieces_ = tiny_model(tiny_config("glm", 100, kPositions), Mode::evaluate, 400);
  std::unique_ptr<Transformer> masked_ =
      tiny_model(tiny_config("bert", 100, kPositions), Mode::evaluate, 400);
};

// Rows of a context that see it all, then rows of a piece that stands for the mask at `mask`.
Stream by_hand(const Ids& context, const Ids& piece, std::int32_t mask) {
  Stream stream;
  const auto size = static_cast<std::int32_t>(context.size());
  stream.token = context;
  stream.token.insert(stream.token.end(), piece.begin(), piece.end());
  for (std::int32_t row = 0; row < stream.size(); ++row) {
    stream.position.push_back(row < size ? row : mask);
    stream.block_position.push_back(row < size ? 0 : row - size + 1);
    stream.visible.push_back({0, std::max(size, row + 1)});
  }
  stream.segment.assign(stream.token.size(), 0);
  stream.sequence.push_back({.begin = 0, .end = stream.size()});
  return stream;
}

// -log p of these targets, summed.
double surprisal_of(Transformer& model, Stream stream, const std::vector<Target>& targets) {
  stream.target = targets;
  StreamResult result;
  model.evaluate(stream, result);
  double sum = 0;
  for (float one : result.token.surprisal) sum += one;
  return sum;
}

double loss_of(const std::vector<double>& options, std::size_t answer) {
  double sum = 0;
  for (double option : options) sum += std::exp(-option);
  return options[answer] + std::log(sum);
}

bool right(const std::vector<double>& options, std::size_t answer) {
  return std::min_element(options.begin(), options.end()) - options.begin() ==
         static_cast<std::ptrdiff_t>(answer);
}

// One of one token each, one of several: by hand, one option after the other.
TEST_F(Choices, AreScoredAsByHand) {
  const std::string lines =
      "{\"text\": \"w11 w12 [MASK] w13\", \"options\": [\"w20\", \"w21\", \"w22\"], \"label\": 1}\n"
      "{\"text\": \"[MASK] w14\", \"options\": [\"w23\", \"w24 w25\"], \"label\": 0}\n"
      "{\"text\": \"[MASK] w14\", \"options\": [\"w23\", \"w24 w25\"], \"label\": 1}\n";
  const Stream one = by_hand({2, 11, 12, 4, 13}, {glm::kStart}, 3);
  std::vector<double> single, several;
  for (std::int32_t id : {20, 21, 22}) single.push_back(surprisal_of(*pieces_, one, {{5, id, 1}}));
  several.push_back(surprisal_of(*pieces_, by_hand({2, 4, 14}, {glm::kStart, 23}, 1),
                                 {{3, 23, 1}, {4, glm::kEndOfPiece, 1}}));
  several.push_back(surprisal_of(*pieces_, by_hand({2, 4, 14}, {glm::kStart, 24, 25}, 1),
                                 {{3, 24, 1}, {4, 25, 1}, {5, glm::kEndOfPiece, 1}}));
  const Score found = score_lines(*pieces_, glm_, options(), lines);
  EXPECT_EQ(found.rule, "cloze");
  EXPECT_EQ(found.documents, 3u);
  EXPECT_NEAR(found.nats, loss_of(single, 1) + loss_of(several, 0) + loss_of(several, 1), 1e-4);
  ASSERT_TRUE(found.accuracy);
  EXPECT_DOUBLE_EQ(*found.accuracy, (right(single, 1) + right(several, 0) + right(several, 1)) / 3.0);
  EXPECT_EQ(found.tokens, 0u);
  EXPECT_EQ(found.bits_per_byte(), 0);
}

TEST_F(Choices, LengthPenaltyDividesAnOptionsSurprisal) {
  const std::string lines = "{\"text\": \"[MASK] w14\", \"options\": [\"w23\", \"w24 w25\"], \"label\": 1}\n";
  const double first = surprisal_of(*pieces_, by_hand({2, 4, 14}, {glm::kStart, 23}, 1),
                                    {{3, 23, 1}, {4, glm::kEndOfPiece, 1}});
  const double second = surprisal_of(*pieces_, by_hand({2, 4, 14}, {glm::kStart, 24, 25}, 1),
                                     {{3, 24, 1}, {4, 25, 1}, {5, glm::kEndOfPiece, 1}});
  const Score found = score_lines(*pieces_, glm_, options({{"objective.cloze.length_penalty", "1"}}), lines);
  EXPECT_NEAR(found.nats, loss_of({first / 2, second / 3}, 1), 1e-4);
}

// Records of other fields, and a masked model, whose mask is the row.
TEST_F(Choices, PatternAndVerbalizerMakeThem) {
  const std::string lines =
      "{\"text\": \"w11 w12\", \"label\": 1}\n"
      "{\"text\": \"w13\", \"label\": 0}\n";
  const ScoreOptions how = options({{"objective.cloze.pattern", "\"{text} w30 [MASK]\""},
                                    {"objective.cloze.verbalizer", "[\"0 = w20\", \"1 = w21\"]"}});
  auto of = [&](const Ids& text) {
    Stream stream = by_hand(text, {}, 0);
    const auto row = static_cast<std::int32_t>(text.size()) - 2;
    return std::vector<double>{surprisal_of(*masked_, stream, {{row, 20, 1}}),
                               surprisal_of(*masked_, stream, {{row, 21, 1}})};
  };
  const std::vector<double> first = of({2, 11, 12, 30, 4, 3}), second = of({2, 13, 30, 4, 3});
  const Score found = score_lines(*masked_, words_, how, lines);
  EXPECT_NEAR(found.nats, loss_of(first, 1) + loss_of(second, 0), 1e-4);
  EXPECT_DOUBLE_EQ(*found.accuracy, (right(first, 1) + right(second, 0)) / 2.0);
}

TEST_F(Choices, EvaluationIsTheSameHoweverTheyArePacked) {
  std::string lines;
  for (int index = 0; index < 20; ++index) {
    lines +=
        fmt::format("{{\"text\": \"w{} w{} [MASK]\", \"options\": [\"w{}\", \"w{}{}\"], \"label\": {}}}\n",
                    10 + index, 40 + index, 60 + index, 61 + index, index % 3 == 0 ? " w9" : "", index % 2);
  }
  const ScoreOptions how = options();
  const TokenCorpus corpus = open(glm_, pieces_->config(), how, lines);
  const Mixture mixture("cloze", {}, glm_, 16);
  const Evaluation packed = evaluate(*pieces_, corpus, mixture, 1, 200);
  const Evaluation alone = evaluate(*pieces_, corpus, mixture, 1, 16);
  EXPECT_EQ(packed.choice.weight, 20);
  EXPECT_EQ(packed.token.weight, 0);
  EXPECT_NEAR(packed.loss, packed.choice.mean(), 1e-12);
  EXPECT_NEAR(packed.loss, alone.loss, 1e-5);
  EXPECT_EQ(packed.choice_accuracy, alone.choice_accuracy);
  EXPECT_FALSE(packed.token_accuracy);
  EXPECT_EQ(packed.unigram_entropy, 0);
  EXPECT_EQ(packed.tokens, alone.tokens);
  LossSums sums;
  for_each_sample(corpus, mixture, 1, 0, true, [&](const Stream& sample) {
    StreamResult result;
    pieces_->evaluate(sample, result);
    sums.add_weights(sample);
    sums.add_result(sample, result);
    return true;
  });
  EXPECT_NEAR(packed.choice.sum, sums.choice().total().sum, 1e-4);
  EXPECT_DOUBLE_EQ(*packed.choice_accuracy, static_cast<double>(sums.choice().correct) / 20);
}

// Sequences of all options lie in one pack: one that does not hold them is named before anything is run.
TEST_F(Choices, APackHoldsAllOptionsOfASample) {
  const std::string lines =
      "{\"text\": \"[MASK] w14\", \"options\": [\"w23\", \"w24\"], \"label\": 0}\n"
      "{\"text\": \"w11 w12 [MASK]\", \"options\": [\"w23\", \"w24\", \"w25 w26\"], \"label\": 0}\n";
  const TokenCorpus corpus = open(glm_, pieces_->config(), options(), lines);
  const Mixture mixture("cloze", {}, glm_, 16);
  EXPECT_EQ(RecordScorer("cloze", pieces_->config(), glm_, {.sequence_length = 16, .pack_tokens = 1})
                .capacity(corpus)
                .tokens,
            19);
  EXPECT_NO_THROW(Sampler(corpus, mixture, 1, 19, SampleOrder::shuffled));
  EXPECT_ERROR(Sampler(corpus, mixture, 1, 18, SampleOrder::shuffled), usage,
               AllOf(HasSubstr("choices.jsonl:2: the sequences of a sample are longer than a micro-batch"),
                     HasSubstr("found 19"), HasSubstr("raise train.micro_batch_tokens to 19 or more")));
  // More options than rows: the targets count.
  std::string many;
  for (int option = 0; option < 20; ++option)
    many += fmt::format("{}\"w{}\"", option > 0 ? "," : "", 20 + option);
  const TokenCorpus wide = open(glm_, pieces_->config(), options(),
                                "{\"text\": \"[MASK]\", \"options\": [" + many + "], \"label\": 0}\n");
  EXPECT_ERROR(Sampler(wide, mixture, 1, 19, SampleOrder::shuffled), usage, HasSubstr("found 20"));
  EXPECT_GT(evaluate(*pieces_, wide, mixture, 1, 20).loss, 0);
}

TEST_F(Choices, BadInputIsNamed) {
  auto bad = [&](const std::string& line, std::vector<Override> objective = {}) {
    score_lines(*pieces_, glm_, options(std::move(objective)), line + "\n");
  };
  EXPECT_ERROR(bad(R"({"text": "w11", "options": ["w20", "w21"], "label": 0})"), data,
               HasSubstr("choices.jsonl:1: the text of a choice has one mask"));
  EXPECT_ERROR(bad(R"({"text": "[MASK]", "options": ["w20", "w21"], "label": 2})"), data,
               HasSubstr("choices.jsonl:1"));
  EXPECT_ERROR(bad(R"({"text": "[MASK]", "options": ["w20", ""], "label": 0})"), data, HasSubstr("option 1"));
  // The same text, and words that the tokenizer does not know: both are [UNK].
  EXPECT_ERROR(
      bad(R"({"text": "[MASK]", "options": ["w20", "w21", "w20"], "label": 0})"), data,
      HasSubstr("choices.jsonl:1: two options of the choice are the same tokens: found options 0 and 2"));
  EXPECT_ERROR(
      bad(R"({"text": "[MASK]", "options": ["yes", "no"], "label": 0})"), data,
      HasSubstr("choices.jsonl:1: two options of the choice are the same tokens: found options 0 and 1"));
  EXPECT_ERROR(
      bad(R"({"text": "[MASK]", "options": ["w20", "w2 w2 w2 w2 w2 w2 w2 w2 w2 w2 w2 w2 w2 w2"], "label": 0})"),
      data, HasSubstr("choices.jsonl:1: option 1 of the choice leaves no room for its text"));
  EXPECT_ERROR(bad(R"({"text": "w11 w12"})"), data, HasSubstr("choices.jsonl:1"));
  EXPECT_ERROR(bad("", {{"objective.cloze.patern", "x"}}), usage, HasSubstr("objective.cloze.pattern"));
  const std::string line = R"({"text": "[MASK]", "options": ["w20", "w21"], "label": 0})";
  EXPECT_ERROR(bad(line, {{"objective.cloze.form", "words"}}), usage, HasSubstr("objective.cloze.form"));
  auto rotary = tiny_model(tiny_config("glm-130b", 100, kPositions), Mode::evaluate, 64);
  EXPECT_ERROR(score_lines(*rotary, glm_, options({{"objective.cloze.position", "two_dimensional"}}), line),
               usage,
               HasSubstr("rule cloze counts block positions beyond the model's: found 16, expected none; set "
                         "objective.cloze.position"));
  // What is not said is as the family was published.
  EXPECT_EQ(
      score_lines(*rotary, glm_, options(), line).nats,
      score_lines(*rotary, glm_, options({{"objective.blank_infilling.preset", "glm-130b"}}), line).nats);
  EXPECT_ERROR(RecordScorer("cloze", tiny_config("gpt2", 100, kPositions), text_tokenizer(), options()),
               usage, HasSubstr("objective cloze needs a tokenizer with [MASK]"));
  ScoreOptions windows = options({{"objective.cloze.form", "auto"}});
  windows.rule = "windows";
  EXPECT_ERROR(score(*pieces_, glm_, open(glm_, pieces_->config(), options(), line), windows), usage,
               HasSubstr("objective.cloze.form has no meaning for rule windows"));
}

}  // namespace
}  // namespace surprisal
