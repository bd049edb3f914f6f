#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/program.h"
#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

using testing::HasSubstr;

class ScoreVerb : public testing::Test {
 protected:
  Workplace workplace_;
};

TEST_F(ScoreVerb, ScoresADecoderByWindows) {
  Outcome outcome = workplace_.run({"score", "--model", "gpt2", "--json", "text.txt"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  Json score = outcome.json();
  TokenCorpus corpus = tiny_corpus(tiny_bpe(), 6, 3);
  double nats = score.at("nats");
  EXPECT_EQ(score.at("rule"), "windows");
  EXPECT_EQ(score.at("tokens"), corpus.tokens() + corpus.documents());
  EXPECT_EQ(score.at("bytes"), corpus.bytes());
  EXPECT_NEAR(score.at("bits_per_byte"), nats / std::numbers::ln2 / static_cast<double>(corpus.bytes()),
              1e-9);
  EXPECT_NEAR(score.at("perplexity").get<double>() / std::exp(nats / score.at("tokens").get<double>()), 1,
              1e-9);
}

TEST_F(ScoreVerb, RulesByName) {
  double forwards =
      workplace_.run({"score", "--model", "gpt2", "--rule", "windows", "--json", "text.txt"}).json()["nats"];
  double backwards =
      workplace_.run({"score", "--model", "gpt2", "--rule", "reverse", "--json", "text.txt"}).json()["nats"];
  EXPECT_NE(forwards, backwards);
  Json masked = workplace_.run({"score", "--model", "bert", "--json", "text.txt"}).json();
  EXPECT_EQ(masked.at("rule"), "pll");
  EXPECT_EQ(masked.at("tokens"), tiny_corpus(tiny_wordpiece(), 6, 3).tokens());
}

TEST_F(ScoreVerb, IsTheLossOfCausal) {
  Json score = workplace_.run({"score", "--model", "gpt2", "--json", "text.txt"}).json();
  Json loss = workplace_
                  .run({"loss", "--model", "gpt2", "--objective", "causal", "--text", "text.txt",
                        "--sequence-length", "20", "--json"})
                  .json();
  EXPECT_EQ(loss.at("terms").at("token").at("weight"), score.at("tokens"));
  EXPECT_NEAR(loss.at("terms").at("token").at("sum").get<double>() / score.at("nats").get<double>(), 1, 1e-6);
}

TEST_F(ScoreVerb, PrintsATable) {
  Outcome outcome = workplace_.run({"score", "--model", "gpt2", "text.txt", "--data.document", "line"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("windows"), HasSubstr("bits per byte"), HasSubstr("perplexity")));
}

TEST_F(ScoreVerb, RefusesARuleThatTheModelCannotDo) {
  EXPECT_FAILS(workplace_.run({"score", "--model", "gpt2", "--rule", "pll", "text.txt"}), 2,
               HasSubstr("mask token"));
  EXPECT_FAILS(workplace_.run({"score", "--model", "bert", "--rule", "windows", "text.txt"}), 2,
               HasSubstr("causal"));
  EXPECT_FAILS(workplace_.run({"score", "--model", "gpt2", "--rule", "strides", "text.txt"}), 2,
               AllOf(HasSubstr("unknown rule strides"),
                     HasSubstr("windows, reverse, pll, cloze, conditional, classification, regression "
                               "or token_classification")));
  EXPECT_FAILS(workplace_.run({"score", "--model", "gpt2", "--sequence-length", "21", "text.txt"}), 2,
               HasSubstr("at most 20"));
}

}  // namespace
}  // namespace surprisal
