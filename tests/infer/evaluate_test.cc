#include "infer/evaluate.h"

#include <cmath>
#include <map>
#include <numbers>
#include <stdexcept>

#include "objective/sampler.h"
#include "tests/core/error_matchers.h"
#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

constexpr std::int64_t kLength = 16;
constexpr std::int32_t kPack = 48;

class Evaluate : public testing::Test {
 protected:
  TokenCorpus decoder_text_ = tiny_corpus(tiny_bpe(), 9, 2);
  TokenCorpus masked_text_ = tiny_corpus(tiny_wordpiece(), 9, 2);
  Mixture causal_{"causal", {}, tiny_bpe(), kLength};
  Mixture joint_{"mlm + 0.5 nsp", {}, tiny_wordpiece(), kLength};
  std::unique_ptr<Transformer> decoder_ =
      tiny_model(tiny_config("gpt2", tiny_bpe().vocabulary_size(), kLength), Mode::evaluate, kPack);
  std::unique_ptr<Transformer> encoder_ =
      tiny_model(tiny_config("bert", tiny_wordpiece().vocabulary_size(), kLength), Mode::evaluate, kPack);
};

TEST_F(Evaluate, SeesTheSameSamplesEveryTime) {
  Evaluation first = evaluate(*encoder_, masked_text_, joint_, 1, kPack);
  Evaluation second = evaluate(*encoder_, masked_text_, joint_, 1, kPack);
  EXPECT_EQ(first.loss, second.loss);
  EXPECT_EQ(first.token.sum, second.token.sum);
  EXPECT_EQ(first.token_accuracy, second.token_accuracy);
  EXPECT_NE(first.loss, evaluate(*encoder_, masked_text_, joint_, 2, kPack).loss);  // other masks
}

TEST_F(Evaluate, PackingChangesNothingButRounding) {
  Evaluation packed = evaluate(*encoder_, masked_text_, joint_, 1, kPack);
  Evaluation alone = evaluate(*encoder_, masked_text_, joint_, 1, kLength);
  EXPECT_EQ(packed.tokens, alone.tokens);
  EXPECT_EQ(packed.token.weight, alone.token.weight);
  EXPECT_EQ(packed.label.weight, alone.label.weight);
  EXPECT_NEAR(packed.loss, alone.loss, 1e-5);
  EXPECT_EQ(packed.token_accuracy, alone.token_accuracy);
}

TEST_F(Evaluate, IsTheLossOfTheEpochsSamplesAsOneStep) {
  LossSums sums;
  std::uint64_t tokens = 0;
  for_each_sample(masked_text_, joint_, 1, 0, true, [&](const Stream& sample) {
    StreamResult result;
    encoder_->evaluate(sample, result);
    sums.add_weights(sample);
    sums.add_result(sample, result);
    tokens += static_cast<std::uint64_t>(sample.size());
    return true;
  });
  Evaluation evaluation = evaluate(*encoder_, masked_text_, joint_, 1, kPack);
  EXPECT_NEAR(evaluation.loss, sums.token().total().mean() + 0.5 * sums.label().total().mean(), 1e-5);
  EXPECT_EQ(evaluation.tokens, tokens);
  EXPECT_DOUBLE_EQ(*evaluation.token_accuracy,
                   static_cast<double>(sums.token().correct) / static_cast<double>(sums.token().count));
  EXPECT_DOUBLE_EQ(*evaluation.label_accuracy,
                   static_cast<double>(sums.label().correct) / static_cast<double>(sums.label().count));
}

TEST_F(Evaluate, UnigramEntropyIsThatOfTheTargets) {
  std::map<std::int32_t, double> counts;
  double total = 0;
  for_each_sample(decoder_text_, causal_, 1, 0, true, [&](const Stream& sample) {
    for (const Target& target : sample.target) ++counts[target.id], ++total;
    return true;
  });
  double expected = 0;
  for (const auto& [id, count] : counts) expected -= count / total * std::log(count / total);
  EXPECT_GT(expected, 1);
  EXPECT_NEAR(evaluate(*decoder_, decoder_text_, causal_, 1, kPack).unigram_entropy, expected, 1e-12);
}

// Without weights every token has the surprisal ln V, so the figure follows from counts alone.
TEST_F(Evaluate, BitsPerByteOfAUniformModel) {
  std::unique_ptr<Transformer> uniform = std::make_unique<Transformer>(
      decoder_->config(), Mode::evaluate, Capacity{.tokens = kPack, .targets = kPack});
  Evaluation evaluation = evaluate(*uniform, decoder_text_, causal_, 1, kPack);
  double targets = static_cast<double>(decoder_text_.tokens() + decoder_text_.documents());
  double bits = targets * std::log2(static_cast<double>(tiny_bpe().vocabulary_size()));
  EXPECT_EQ(evaluation.token.weight, targets);
  EXPECT_NEAR(*evaluation.bits_per_byte, bits / static_cast<double>(decoder_text_.bytes()), 1e-5);
  EXPECT_NEAR(evaluation.loss, std::log(tiny_bpe().vocabulary_size()), 1e-5);
}

TEST_F(Evaluate, BitsPerByteAreNatsByLn2AndBytes) {
  Evaluation evaluation = evaluate(*decoder_, decoder_text_, causal_, 1, kPack);
  EXPECT_DOUBLE_EQ(*evaluation.bits_per_byte,
                   evaluation.token.sum / std::numbers::ln2 / static_cast<double>(decoder_text_.bytes()));
}

TEST_F(Evaluate, BitsPerByteOnlyWhereEveryTokenIsATargetOnce) {
  EXPECT_FALSE(evaluate(*encoder_, masked_text_, joint_, 1, kPack).bits_per_byte);
  Mixture masked("mlm", {}, tiny_wordpiece(), kLength), pairs("nsp", {}, tiny_wordpiece(), kLength);
  EXPECT_FALSE(evaluate(*encoder_, masked_text_, masked, 1, kPack).bits_per_byte);
  EXPECT_FALSE(evaluate(*encoder_, masked_text_, pairs, 1, kPack).bits_per_byte);
  EXPECT_TRUE(evaluate(*decoder_, decoder_text_, Mixture("reverse", {}, tiny_bpe(), kLength), 1, kPack)
                  .bits_per_byte);
  TokenCorpus no_text = TokenCorpus::from_ids({{.tokens = {1, 2, 3}, .sentences = {}, .bytes = 0}});
  EXPECT_FALSE(evaluate(*decoder_, no_text, causal_, 1, kPack).bits_per_byte);
}

TEST_F(Evaluate, NamesAndAddsUpTheParts) {
  Mixture mixture("0.5 causal | 0.5 reverse", {}, tiny_bpe(), kLength);
  Evaluation evaluation = evaluate(*decoder_, decoder_text_, mixture, 1, kPack);
  EXPECT_EQ(evaluation.part, (std::vector<std::string>{"causal", "reverse"}));
  ASSERT_EQ(evaluation.token_by_part.size(), 2u);
  EXPECT_GT(evaluation.token_by_part[0].weight, 0);
  EXPECT_GT(evaluation.token_by_part[1].weight, 0);
  EXPECT_DOUBLE_EQ(evaluation.token_by_part[0].sum + evaluation.token_by_part[1].sum, evaluation.token.sum);
}

TEST_F(Evaluate, ProgressCountsStreamsAndMayStopIt) {
  std::uint64_t calls = 0, all = 0;
  evaluate(*decoder_, decoder_text_, causal_, 1, kPack, [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_EQ(done, ++calls);
    all = total;
  });
  EXPECT_EQ(calls, all);
  EXPECT_GT(all, 2u);
  auto stop = [](std::uint64_t done, std::uint64_t) {
    if (done == 2) throw std::runtime_error("stop");
  };
  EXPECT_THROW(evaluate(*decoder_, decoder_text_, causal_, 1, kPack, stop), std::runtime_error);
}

TEST_F(Evaluate, RefusesIdsThatTheModelHasNoEmbeddingFor) {
  std::unique_ptr<Transformer> small =
      tiny_model(tiny_config("gpt2", tiny_bpe().vocabulary_size() - 1, kLength), Mode::evaluate, kPack);
  std::int32_t last = tiny_bpe().vocabulary_size() - 1;
  TokenCorpus corpus = TokenCorpus::from_ids({{.tokens = {1, last, 2}, .sentences = {}, .bytes = 3}});
  EXPECT_ERROR(evaluate(*small, corpus, causal_, 1, kPack), data, testing::HasSubstr(std::to_string(last)));
}

}  // namespace
}  // namespace surprisal
