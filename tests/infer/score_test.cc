#include "infer/score.h"

#include <cmath>
#include <numbers>

#include "objective/sampler.h"
#include "tests/core/error_matchers.h"
#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kPositions = 20;

class ScoreTest : public testing::Test {
 protected:
  static std::unique_ptr<Transformer> model(const char* family, const Tokenizer& tokenizer) {
    return tiny_model(tiny_config(family, tokenizer.vocabulary_size(), kPositions), Mode::evaluate, 200);
  }
  // Sum of the surprisals of an objective's samples, each alone in its stream.
  double nats_of(const char* objective, std::int64_t length) {
    Mixture mixture(objective, {}, tiny_bpe(), length);
    double nats = 0;
    for_each_sample(decoder_text_, mixture, 0, 0, true, [&](const Stream& sample) {
      StreamResult result;
      decoder_->evaluate(sample, result);
      for (float surprisal : result.token.surprisal) nats += surprisal;
      return true;
    });
    return nats;
  }

  TokenCorpus decoder_text_ = tiny_corpus(tiny_bpe(), 6, 3);
  TokenCorpus masked_text_ = tiny_corpus(tiny_wordpiece(), 3, 3);
  std::unique_ptr<Transformer> decoder_ = model("gpt2", tiny_bpe());
  std::unique_ptr<Transformer> encoder_ = model("bert", tiny_wordpiece());
};

TEST_F(ScoreTest, WindowsAreTheLossOfCausalOverAllSamples) {
  Score whole = score(*decoder_, tiny_bpe(), decoder_text_, {.pack_tokens = 64});
  EXPECT_EQ(whole.rule, "windows");
  EXPECT_EQ(whole.sequence_length, kPositions);
  EXPECT_NEAR(whole.nats / nats_of("causal", kPositions), 1, 1e-6);
  Score cut = score(*decoder_, tiny_bpe(), decoder_text_, {.sequence_length = 7, .pack_tokens = 64});
  EXPECT_EQ(cut.sequence_length, 7);
  EXPECT_NEAR(cut.nats / nats_of("causal", 7), 1, 1e-6);
  EXPECT_GT(std::abs(cut.nats - whole.nats), 1);  // less context is another figure
}

TEST_F(ScoreTest, ReverseIsTheLossOfReverse) {
  Score reverse = score(*decoder_, tiny_bpe(), decoder_text_, {.rule = "reverse", .pack_tokens = 64});
  EXPECT_EQ(reverse.rule, "reverse");
  EXPECT_NEAR(reverse.nats / nats_of("reverse", kPositions), 1, 1e-6);
  EXPECT_GT(std::abs(reverse.nats - nats_of("causal", kPositions)), 1);
}

TEST_F(ScoreTest, EveryTokenAndEveryEndIsScoredOnce) {
  for (std::int64_t length : {4, 7, 20}) {
    for (const char* rule : {"windows", "reverse"}) {
      Score scored = score(*decoder_, tiny_bpe(), decoder_text_,
                           {.rule = rule, .sequence_length = length, .pack_tokens = 64});
      EXPECT_EQ(scored.tokens, decoder_text_.tokens() + decoder_text_.documents());
      EXPECT_EQ(scored.documents, 6u);
      EXPECT_EQ(scored.bytes, decoder_text_.bytes());
    }
  }
}

// Every token of every window masked in a stream of its own.
TEST_F(ScoreTest, PseudoLikelihoodIsMaskingOneByOne) {
  constexpr std::size_t kLength = 11;
  const std::int32_t cls = *tiny_wordpiece().special().cls, sep = *tiny_wordpiece().special().sep;
  double nats = 0;
  for (std::uint64_t document = 0; document < masked_text_.documents(); ++document) {
    std::span<const std::int32_t> tokens = masked_text_.document(document).tokens;
    for (std::size_t begin = 0; begin < tokens.size(); begin += kLength - 2) {
      std::span<const std::int32_t> window =
          tokens.subspan(begin, std::min(kLength - 2, tokens.size() - begin));
      for (std::size_t masked = 0; masked < window.size(); ++masked) {
        Stream stream;
        stream.token = {cls};
        stream.token.insert(stream.token.end(), window.begin(), window.end());
        stream.token.push_back(sep);
        stream.token[masked + 1] = *tiny_wordpiece().special().mask;
        stream.target = {{static_cast<std::int32_t>(masked + 1), window[masked], 1}};
        std::int32_t size = stream.size();
        for (std::int32_t row = 0; row < size; ++row) stream.position.push_back(row);
        stream.segment.assign(stream.token.size(), 0);
        stream.block_position.assign(stream.token.size(), 0);
        stream.visible.assign(stream.token.size(), {0, size});
        stream.sequence = {{.begin = 0, .end = size}};
        StreamResult result;
        encoder_->evaluate(stream, result);
        nats += result.token.surprisal.front();
      }
    }
  }
  for (std::int64_t pack : {11, 50, 200}) {
    Score scored =
        score(*encoder_, tiny_wordpiece(), masked_text_, {.sequence_length = kLength, .pack_tokens = pack});
    EXPECT_EQ(scored.rule, "pll");
    EXPECT_EQ(scored.tokens, masked_text_.tokens());
    EXPECT_NEAR(scored.nats / nats, 1, 1e-6);
  }
}

TEST_F(ScoreTest, PackingChangesNothingButRounding) {
  double nats = score(*decoder_, tiny_bpe(), decoder_text_, {.pack_tokens = 20}).nats;
  for (std::int64_t pack : {1, 33, 200}) {
    EXPECT_NEAR(score(*decoder_, tiny_bpe(), decoder_text_, {.pack_tokens = pack}).nats / nats, 1, 1e-6);
  }
}

TEST_F(ScoreTest, DerivedFigures) {
  Score figures{.rule = "windows", .nats = 10, .tokens = 4, .bytes = 8};
  EXPECT_DOUBLE_EQ(figures.bits_per_byte(), 10 / std::numbers::ln2 / 8);
  EXPECT_DOUBLE_EQ(figures.perplexity(), std::exp(2.5));
  EXPECT_EQ(Score().bits_per_byte(), 0);
  EXPECT_EQ(Score().perplexity(), 0);
}

TEST_F(ScoreTest, ReportsEveryDocument) {
  for (const char* rule : {"windows", "pll"}) {
    bool masked = std::string(rule) == "pll";
    std::uint64_t last = 0, all = masked ? masked_text_.documents() : decoder_text_.documents();
    ScoreOptions options{
        .rule = rule, .pack_tokens = 64, .progress = [&](std::uint64_t done, std::uint64_t total) {
          EXPECT_GE(done, last);
          EXPECT_EQ(total, all);
          last = done;
        }};
    masked ? score(*encoder_, tiny_wordpiece(), masked_text_, options)
           : score(*decoder_, tiny_bpe(), decoder_text_, options);
    EXPECT_EQ(last, all) << rule;
  }
}

TEST_F(ScoreTest, RefusesWhatCannotBe) {
  EXPECT_ERROR(score(*decoder_, tiny_bpe(), decoder_text_, {.rule = "strides"}), usage,
               AllOf(HasSubstr("unknown rule strides"),
                     HasSubstr("windows, reverse, pll, cloze, conditional, classification, "
                               "regression or token_classification")));
  EXPECT_ERROR(score(*decoder_, tiny_bpe(), decoder_text_, {.rule = "pll"}), usage, HasSubstr("mask token"));
  EXPECT_ERROR(score(*encoder_, tiny_wordpiece(), masked_text_, {.rule = "windows"}), usage,
               HasSubstr("causal"));
  EXPECT_ERROR(score(*decoder_, tiny_bpe(), decoder_text_, {.sequence_length = 21}), usage,
               AllOf(HasSubstr("21"), HasSubstr("at most 20")));
  EXPECT_ERROR(score(*encoder_, tiny_wordpiece(), masked_text_, {.sequence_length = 2}), usage,
               HasSubstr("at least 3"));
}

TEST_F(ScoreTest, RefusesATokenizerThatIsNotTheModels) {
  for (const char* family : {"gpt2", "bert"}) {
    const Tokenizer& tokenizer = std::string(family) == "bert" ? tiny_wordpiece() : tiny_bpe();
    std::int32_t size = tokenizer.vocabulary_size();
    std::unique_ptr<Transformer> small =
        tiny_model(tiny_config(family, size - 1, kPositions), Mode::evaluate, 200);
    EXPECT_ERROR(score(*small, tokenizer, tiny_corpus(tokenizer, 2), {.pack_tokens = 64}), data,
                 AllOf(HasSubstr("more tokens than the model has embeddings"),
                       HasSubstr(std::to_string(size)), HasSubstr(std::to_string(size - 1))));
  }
}

}  // namespace
}  // namespace surprisal
