// Steps over pairs: neither how they are packed nor how many micro-batches they make changes what is learnt.
#include "tests/core/error_matchers.h"
#include "tests/infer/tiny_language.h"
#include "tests/train/one_step.h"

namespace surprisal {
namespace {

constexpr std::int64_t kRows = 20;

std::vector<std::int32_t> words(Random& random, std::size_t count, std::int32_t vocabulary) {
  std::vector<std::int32_t> ids(count);
  for (std::int32_t& id : ids) id = 5 + static_cast<std::int32_t>(random.below(vocabulary - 5));
  return ids;
}

// Eight of which no two fit into 20 rows, so that they make eight micro-batches, while 160 hold them all;
// with 1 to 14 targets. Every other one is a chat of two completions.
TokenCorpus eight_pairs(std::int32_t vocabulary) {
  Random random({.seed = 3});
  std::vector<TokenCorpus::Ids> documents;
  for (std::size_t completion = 1; completion < 16; completion += 2) {
    const bool chat = completion % 4 == 3;
    TokenCorpus::Ids pair;
    pair.kind = DocumentKind::pair;
    pair.marks = chat ? PairMark::chat : 0;
    const std::vector<std::size_t> sizes = chat ? std::vector<std::size_t>{16 - completion, completion, 2, 1}
                                                : std::vector<std::size_t>{16 - completion, completion};
    for (std::size_t size : sizes) {
      pair.sentences.push_back(static_cast<std::uint32_t>(pair.tokens.size()));
      const std::vector<std::int32_t> part = words(random, size, vocabulary);
      pair.tokens.insert(pair.tokens.end(), part.begin(), part.end());
    }
    documents.push_back(std::move(pair));
  }
  return TokenCorpus::from_ids(documents);
}

class PairsStepTest : public testing::TestWithParam<bool> {
 protected:
  Trained step(std::int64_t micro_batch, double dropout) {
    const Tokenizer& tokenizer = tiny_bpe();
    const TokenCorpus corpus = eight_pairs(tokenizer.vocabulary_size());
    ObjectiveOptions objective;
    objective.conditional.prefix_lm = GetParam();
    const Mixture mixture("conditional", objective, tokenizer, kRows);
    return train_one_step(tiny_config("gpt2", tokenizer.vocabulary_size(), kRows), mixture, corpus, 8 * kRows,
                          micro_batch, dropout);
  }
};
INSTANTIATE_TEST_SUITE_P(PrefixLm, PairsStepTest, testing::Bool());

TEST_P(PairsStepTest, EightPairsOneByOneAreEightAtOnce) {
  for (double dropout : {0.0, 0.3}) {
    const Trained eight = step(kRows, dropout), one = step(8 * kRows, dropout);
    // 1 + 5 + 9 + 13 completions and their ends, and 3 + 7 + 11 + 15 of chats with one token more.
    EXPECT_EQ(one.result.sums.token().total().weight, 72);
    EXPECT_EQ(eight.result.sums.token().total().weight, 72);
    expect_same_step(eight, one);
  }
}

}  // namespace
}  // namespace surprisal
