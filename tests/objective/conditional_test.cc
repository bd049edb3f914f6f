// Pairs as sequences: every array of both layouts, and what is cut of those that are too long.
#include "objective/conditional.h"

#include <algorithm>
#include <numeric>

#include "objective/conditional_infilling.h"
#include "objective/pair_cut.h"
#include "tests/core/error_matchers.h"
#include "tests/objective/conditional_samples.h"

namespace surprisal {
namespace {

using Ids = std::vector<std::int32_t>;
using testing::ElementsAre;
using testing::IsEmpty;

Mixture mixture(const Tokenizer& tokenizer, std::int64_t length, const ObjectiveOptions& options = {}) {
  return Mixture("conditional", options, tokenizer, length);
}

Stream sample(const std::pair<Ids, Ids>& pair, const Tokenizer& tokenizer, std::int64_t length,
              const ObjectiveOptions& options = {}) {
  return pair_sample(pairs_of({pair}), tokenizer, length, options);
}

Ids counted(std::int32_t size) {
  Ids ids(size);
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

TEST(ConditionalDecoder, EveryArray) {
  const Stream stream = sample({{11, 12, 13}, {21, 22}}, text_tokenizer(), 16);
  EXPECT_EQ(stream.token, (Ids{kEndOfText, 11, 12, 13, 21, 22}));
  EXPECT_EQ(stream.position, counted(6));
  EXPECT_EQ(stream.block_position, Ids(6, 0));
  EXPECT_EQ(stream.segment, Ids(6, 0));
  EXPECT_EQ(stream.visible, visible(0, 6));
  EXPECT_EQ(stream.target, (std::vector<Target>{{3, 21, 1}, {4, 22, 1}, {5, kEndOfText, 1}}));
  EXPECT_THAT(stream.label, IsEmpty());
  ASSERT_EQ(stream.sequence.size(), 1u);
  EXPECT_EQ(kind_of(stream.sequence[0]), DocumentKind::pair);
  EXPECT_EQ(stream.sequence[0].document, 0u);
}

TEST(ConditionalDecoder, EmptyPromptIsPredictedFromTheBeginOfText) {
  const Stream stream = sample({{}, {21}}, text_tokenizer(), 16);
  EXPECT_EQ(stream.token, (Ids{kEndOfText, 21}));
  EXPECT_EQ(stream.target, (std::vector<Target>{{0, 21, 1}, {1, kEndOfText, 1}}));
}

// [CLS] x_1 .. [MASK] <|endoftext|> | start-of-piece y_1 .. : as blank infilling lays a blank.
TEST(ConditionalGlm, EveryArray) {
  const Stream stream = sample({{11, 12, 13}, {21, 22}}, glm_tokenizer(), 16);
  EXPECT_EQ(stream.token, (Ids{kCls, 11, 12, 13, kMask, glm::kEnd, glm::kStart, 21, 22}));
  EXPECT_EQ(stream.position, (Ids{0, 1, 2, 3, 4, 5, 4, 4, 4}));
  EXPECT_EQ(stream.block_position, (Ids{0, 0, 0, 0, 0, 0, 1, 2, 3}));
  EXPECT_EQ(stream.segment, Ids(9, 0));
  EXPECT_EQ(stream.visible, visible(6, 9));
  EXPECT_EQ(stream.target, (std::vector<Target>{{6, 21, 1}, {7, 22, 1}, {8, glm::kEndOfPiece, 1}}));
  EXPECT_THAT(stream.label, IsEmpty());
}

// GLM-130B's multi-task form: text [MASK] sop | completion eop, no special tokens around it; positions count
// on (0 .. n - 1, as its collator has them), though those of a blank with the same mask repeat.
TEST(ConditionalGlm, PairsOfGlm130bCountOn) {
  ObjectiveOptions options;
  options.blank_infilling = BlankInfillingOptions::with_preset("glm-130b");
  const Stream stream = sample({{11, 12}, {21, 22}}, glm_tokenizer(), 16, options);
  EXPECT_EQ(stream.token, (Ids{11, 12, kMask, glm::kStart, 21, 22}));
  EXPECT_EQ(stream.position, counted(6));
  EXPECT_EQ(stream.block_position, Ids(6, 0));
  EXPECT_EQ(stream.visible, visible(3, 6));
  EXPECT_EQ(stream.target, (std::vector<Target>{{3, 21, 1}, {4, 22, 1}, {5, glm::kEndOfPiece, 1}}));
}

TEST(ConditionalGlm, PositionsAreThoseOfADocumentsBlankUnlessGiven) {
  ObjectiveOptions options;
  options.blank_infilling.special_tokens = false;
  auto made = [&] { return sample({{11, 12}, {21, 22}}, glm_tokenizer(), 16, options); };
  EXPECT_EQ(made().block_position, (Ids{0, 0, 0, 1, 2, 3}));
  options.blank_infilling.position = "repeat";
  EXPECT_EQ(made().position, (Ids{0, 1, 2, 2, 2, 2}));
  EXPECT_EQ(made().block_position, Ids(6, 0));
  options.blank_infilling.document_position = "continue";
  EXPECT_EQ(made().position, counted(6));
  options.conditional.position = "repeat";
  EXPECT_EQ(made().position, (Ids{0, 1, 2, 2, 2, 2}));
  options.conditional.position = "continue";
  options.conditional.mask = "[gMASK]";
  EXPECT_EQ(made().token, (Ids{11, 12, glm::kGmask, glm::kStart, 21, 22}));
  EXPECT_EQ(made().position, counted(6));
  options.conditional.position = "two_dimensional";
  EXPECT_EQ(made().block_position, (Ids{0, 0, 0, 1, 2, 3}));
}

// A prompt that says where its completion belongs gets no other mask; of several the last is meant.
TEST(ConditionalGlm, MaskOfThePrompt) {
  const Stream stream = sample({{kMask, 11, glm::kSmask, 12}, {21}}, glm_tokenizer(), 16);
  EXPECT_EQ(stream.token, (Ids{kCls, kMask, 11, glm::kSmask, 12, glm::kEnd, glm::kStart, 21}));
  EXPECT_EQ(stream.position, (Ids{0, 1, 2, 3, 4, 5, 3, 3}));
  EXPECT_EQ(stream.target, (std::vector<Target>{{6, 21, 1}, {7, glm::kEndOfPiece, 1}}));
}

// What is asked of a prompt are the rows before the piece of the pair that was trained.
TEST(ConditionalGlm, IsAskedAsItWasTrained) {
  ObjectiveOptions plain, preset, named;
  preset.blank_infilling = BlankInfillingOptions::with_preset("glm-130b");
  named.conditional.mask = "[gMASK]";
  named.conditional.position = "repeat";
  for (const ObjectiveOptions& options : {plain, preset, named}) {
    for (const Ids& prompt : {Ids{11, 12, 13}, Ids{11, glm::kSmask, 12}, Ids{}}) {
      const Stream trained = sample({prompt, {21, 22}}, glm_tokenizer(), 16, options);
      const AskedBlank asked = ConditionalInfilling(options, glm_tokenizer(), 16).ask(prompt);
      const std::int32_t context = trained.visible.front().end;
      EXPECT_EQ(asked.ids, Ids(trained.token.begin(), trained.token.begin() + context));
      const bool own = std::ranges::find(prompt, glm::kSmask) != prompt.end();
      EXPECT_EQ(asked.end - asked.begin, std::ssize(prompt) + (own ? 0 : 1));
      const std::int32_t first = trained.position[static_cast<std::size_t>(context)];
      EXPECT_EQ(first, asked.position == PiecePosition::go_on ? context : asked.mask);
    }
  }
}

TEST(ConditionalGlm, LayoutCanBeChosen) {
  ObjectiveOptions options;
  options.conditional.layout = "decoder";
  const Tokenizer tokenizer = word_tokenizer(100, R"({"bos_token":"[CLS]","eos_token":"[SEP]"})");
  EXPECT_EQ(sample({{11}, {21}}, tokenizer, 16, options).token, (Ids{kCls, 11, 21}));
  EXPECT_FALSE(mixture(glm_tokenizer(), 16).decoder());
  EXPECT_TRUE(mixture(text_tokenizer(), 16).decoder());
}

// The prompt keeps its head: what mask and completion leave, but a quarter of the sequence at least.
TEST(PairCut, KeepsTheHeads) {
  auto cut = [](std::int64_t prompt, std::int64_t targets, std::int64_t room, std::int64_t length) {
    const PairCut kept = PairCut::of(prompt, targets, room, length);
    return std::pair(kept.prompt, kept.targets);
  };
  EXPECT_EQ(cut(5, 3, 15, 16), std::pair(5l, 3l));
  EXPECT_EQ(cut(12, 3, 15, 16), std::pair(12l, 3l));
  EXPECT_EQ(cut(13, 3, 15, 16), std::pair(12l, 3l));
  EXPECT_EQ(cut(13, 11, 15, 16), std::pair(4l, 11l));
  EXPECT_EQ(cut(13, 12, 15, 16), std::pair(4l, 11l));
  EXPECT_EQ(cut(2, 14, 15, 16), std::pair(2l, 13l));
  EXPECT_EQ(cut(0, 20, 15, 16), std::pair(0l, 15l));
  EXPECT_EQ(cut(9, 9, 2, 100), std::pair(1l, 1l));
  for (std::int64_t room = 2; room < 12; ++room) {
    for (std::int64_t prompt = 0; prompt < 14; ++prompt) {
      for (std::int64_t targets = 1; targets < 14; ++targets) {
        const PairCut all = PairCut::of(prompt, targets, room, 12);
        ASSERT_GE(all.targets, 1);
        ASSERT_LE(all.prompt + all.targets, room);
        ASSERT_TRUE(all.prompt + all.targets == room || (all.prompt == prompt && all.targets == targets));
      }
    }
  }
}

TEST(ConditionalCut, DecoderFillsTheSequence) {
  const Ids prompt{11, 12, 13, 14, 15, 16}, completion{21, 22, 23, 24, 25, 26, 27};
  Stream stream = sample({prompt, {21}}, text_tokenizer(), 8);
  EXPECT_EQ(stream.token, (Ids{kEndOfText, 11, 12, 13, 14, 15, 16, 21}));
  stream = sample({prompt, {21, 22}}, text_tokenizer(), 8);
  EXPECT_EQ(stream.token, (Ids{kEndOfText, 11, 12, 13, 14, 15, 21, 22}));
  EXPECT_EQ(stream.target.back(), (Target{7, kEndOfText, 1}));
  stream = sample({prompt, completion}, text_tokenizer(), 8);  // the end is not reached, nor predicted
  EXPECT_EQ(stream.token, (Ids{kEndOfText, 11, 12, 21, 22, 23, 24, 25}));
  EXPECT_EQ(stream.target, (std::vector<Target>{{2, 21}, {3, 22}, {4, 23}, {5, 24}, {6, 25}, {7, 26}}));
}

TEST(ConditionalCut, GlmFillsTheSequence) {
  const Ids prompt{11, 12, 13, 14, 15, 16}, completion{21, 22, 23, 24, 25, 26, 27};
  Stream stream = sample({prompt, {21}}, glm_tokenizer(), 10);
  EXPECT_EQ(stream.token, (Ids{kCls, 11, 12, 13, 14, 15, kMask, glm::kEnd, glm::kStart, 21}));
  EXPECT_EQ(stream.target.back(), (Target{9, glm::kEndOfPiece, 1}));
  stream = sample({prompt, completion}, glm_tokenizer(), 10);
  EXPECT_EQ(stream.token, (Ids{kCls, 11, 12, kMask, glm::kEnd, glm::kStart, 21, 22, 23, 24}));
  EXPECT_EQ(stream.target, (std::vector<Target>{{5, 21}, {6, 22}, {7, 23}, {8, 24}, {9, 25}}));
  // A mask beyond the cut is put at the end; one before it stays.
  stream = sample({{11, 12, 13, 14, 15, kMask}, completion}, glm_tokenizer(), 10);
  EXPECT_EQ(stream.token, (Ids{kCls, 11, kMask, glm::kEnd, glm::kStart, 21, 22, 23, 24, 25}));
  stream = sample({{kMask, 12, 13, 14, 15, 16}, completion}, glm_tokenizer(), 10);
  EXPECT_EQ(stream.token, (Ids{kCls, kMask, 12, glm::kEnd, glm::kStart, 21, 22, 23, 24, 25}));
  EXPECT_EQ(stream.position, (Ids{0, 1, 2, 3, 1, 1, 1, 1, 1, 1}));
}

// Random pairs of all lengths: no sample is longer than the sequence, no bound is passed, and one bound is
// met.
TEST(ConditionalCut, ExtentHolds) {
  std::vector<std::pair<Ids, Ids>> pairs;
  for (std::int32_t prompt = 0; prompt < 20; ++prompt) {
    for (std::int32_t completion = 1; completion < 20; ++completion) {
      pairs.push_back({Ids(prompt, 11), Ids(completion, 21)});
      if (prompt > 0)
        pairs.back().first[static_cast<std::size_t>(completion % prompt)] = completion % 3 ? 11 : kMask;
    }
  }
  const TokenCorpus corpus = pairs_of(pairs);
  for (const Tokenizer& tokenizer : {text_tokenizer(), glm_tokenizer()}) {
    for (std::int64_t length : {6, 7, 12, 16}) {
      const Mixture mixture = surprisal::mixture(tokenizer, length);
      const SampleExtent extent = mixture.extent();
      std::int32_t rows = 0, block = 0;
      std::size_t count = 0;
      for (const Stream& stream : samples_of(corpus, mixture)) {
        ++count;
        ASSERT_FALSE(stream.target.empty());
        rows = std::max(rows, stream.size());
        for (std::int32_t one : stream.block_position) block = std::max(block, one);
      }
      EXPECT_EQ(count, pairs.size());
      EXPECT_EQ(rows, extent.rows);
      EXPECT_EQ(block + 1, extent.block_positions);
    }
  }
}

TEST(ConditionalRemarks, CountWhatIsCut) {
  const TokenCorpus corpus = pairs_of({{Ids(3, 11), Ids(2, 21)},
                                       {Ids(20, 11), Ids(2, 21)},
                                       {Ids(2, 11), Ids(30, 21)},
                                       {Ids(20, 11), Ids(30, 21)}});
  EXPECT_THAT(
      mixture(text_tokenizer(), 16).remarks(corpus),
      ElementsAre("objective conditional: 3 of 4 pairs are longer than a sequence of 16: cut at the end "
                  "are 2 prompts and 2 completions"));
  EXPECT_THAT(mixture(text_tokenizer(), 64).remarks(corpus), IsEmpty());
  EXPECT_THAT(
      mixture(text_tokenizer(), 31).remarks(corpus),
      ElementsAre("objective conditional: 2 of 4 pairs are longer than a sequence of 31: cut at the end "
                  "are 1 prompt and 2 completions"));
}

TEST(ConditionalNotes, SayWhatEachRowIs) {
  const Mixture decoder = mixture(text_tokenizer(), 16), glm = mixture(glm_tokenizer(), 16),
                cut = mixture(text_tokenizer(), 5);
  auto notes = [](const Mixture& mixture, const Ids& completion) {
    const Stream stream = samples_of(pairs_of({{{11, 12}, completion}}), mixture)[0];
    return mixture.notes({.seed = 1, .kind = DocumentKind::pair}, stream);
  };
  EXPECT_THAT(notes(decoder, {21}).lines, ElementsAre("rows [0,3) are the prompt; the completion ends"));
  EXPECT_THAT(notes(decoder, {21}).rows, ElementsAre("special", "prompt", "prompt", "completion"));
  EXPECT_THAT(notes(cut, {21, 22, 23, 24}).lines,
              ElementsAre("rows [0,2) are the prompt; the completion is cut"));
  EXPECT_THAT(notes(glm, {21}).lines,
              ElementsAre("rows [0,5) are the prompt and see one another; the completion ends"));
  EXPECT_THAT(notes(glm, {21}).rows,
              ElementsAre("special", "prompt", "prompt", "mask", "special", "completion", "completion"));
}

TEST(ConditionalErrors, NameWhatIsMissing) {
  EXPECT_ERROR(mixture(word_tokenizer(), 16), usage,
               testing::HasSubstr("objective conditional needs a tokenizer with an end-of-text token (eos)"));
  EXPECT_ERROR(
      mixture(text_tokenizer(), 1), usage,
      "sequence length is impossible for objective conditional: found 1, expected at least 4 and at most "
      "2147483647");
  EXPECT_ERROR(mixture(glm_tokenizer(), 5), usage, testing::HasSubstr("expected at least 6 and"));
  ObjectiveOptions options;
  options.conditional.layout = "glm";
  EXPECT_ERROR(mixture(text_tokenizer(), 16, options), usage,
               testing::HasSubstr("objective conditional needs a tokenizer with [MASK]"));
  auto refused = [](const char* layout, const char* mask, const char* position, const char* message) {
    ObjectiveOptions bad;
    bad.conditional.layout = layout;
    bad.conditional.mask = mask;
    bad.conditional.position = position;
    EXPECT_ERROR(mixture(glm_tokenizer(), 16, bad), usage, testing::HasSubstr(message));
  };
  refused("gml", "[MASK]", "continue", "objective.conditional.layout is unknown: found gml");
  refused("auto", "[XMASK]", "continue", "objective.conditional.mask is unknown: found [XMASK]");
  refused("auto", "[MASK]", "on", "objective.conditional.position is unknown: found on");
  EXPECT_ERROR(samples_of(corpus_of({{11, 12}}), mixture(text_tokenizer(), 16)), data,
               "document 0 and on: the data hold nothing for objective \"conditional\", which reads pairs; "
               "give a .jsonl file of records "
               "with \"prompt\" and \"completion\", or of \"messages\"");
  EXPECT_ERROR(samples_of(pairs_of({{{11}, {12}}}), Mixture("causal", {}, text_tokenizer(), 16)), data,
               "document 0 and on: the data hold nothing for objective \"causal\", which reads texts; give "
               "text files, or .jsonl files "
               "with the field that data.field names");
  EXPECT_ERROR(Mixture("conditional + nsp", {}, full_tokenizer(), 16), usage,
               testing::HasSubstr("conditional lays out its own sequence and cannot act on one of nsp"));
}

}  // namespace
}  // namespace surprisal
